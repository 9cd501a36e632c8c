"""Articles as words: those that are bought in the same company, or one after the other, come to lie together.

Mikolov et al. 2013 ("Distributed representations of words and phrases and their compositionality"), on what customers
bought in order of days (Barkan & Koenigstein 2016, "Item2vec"), fitted by the library gensim.
"""

from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from hmgpu.data.store import History
from hmgpu.neural.mean import Mean
from hmgpu.parts import Count


class Word2Vec(Mean):
    """What is nearest to the mean of the latest articles, and, as a feature, how near every other candidate is."""

    days: Count = 45
    """How far back the sentences go, one a customer: what he bought, in order of days."""
    dimensions: Count = 64
    """Numbers in a vector."""
    window: Count = 16
    """Articles before and after one that count as its company."""
    model: Literal["skip-gram", "cbow"] = "skip-gram"
    """skip-gram: an article tells its company; cbow: its company tells an article."""
    negatives: Count = 5
    """Articles drawn for each true one."""
    negative_power: Annotated[float, Field(ge=0)] = 0.75
    """An article is drawn in proportion to its sales to this power."""
    learning_rate: Annotated[float, Field(gt=0)] = 0.05
    """Step of the stochastic descent at its start; it falls to nothing."""
    support: Count = 2
    """Purchases that an article needs to get a vector."""
    epochs: Count = 5
    """Passes over all sentences."""

    def vectors(self, history: History) -> pl.DataFrame:
        """Of all articles that were bought often enough, by customers who bought others too; the longest of length 1.

        On one thread of the CPU whatever the engine: with more of them, each fit would differ.
        """
        import torch
        from gensim.models.word2vec import Word2Vec as Gensim

        from hmgpu.neural.topk import quantised, shortened

        bought = history.last(self.days).select("customer", "day", "article").unique()
        ordered = self.bench.engine.collect(bought.sort("customer", "day", "article"))
        by_customer = ordered.group_by("customer", maintain_order=True).agg("article")
        sentences = by_customer.filter(pl.col("article").list.len() > 1)["article"].to_list()
        model = Gensim(
            vector_size=self.dimensions,
            window=self.window,
            sg=int(self.model == "skip-gram"),
            negative=self.negatives,
            ns_exponent=self.negative_power,
            min_count=self.support,
            alpha=self.learning_rate,
            epochs=self.epochs,
            workers=1,
            seed=self.bench.seed,
        )
        model.build_vocab(sentences)
        if len(model.wv):
            model.train(sentences, total_examples=model.corpus_count, epochs=model.epochs)
        found = model.wv.vectors
        if len(found):
            # What all have in common says nothing of taste. Lengths are kept: rare articles have the shorter vectors.
            found = found - found.mean(axis=0)
        keys = torch.tensor(model.wv.index_to_key, dtype=torch.int32)
        return quantised(keys, shortened(torch.from_numpy(found)), "article")
