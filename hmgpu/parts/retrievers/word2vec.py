"""Articles as words: those that are bought in the same company, or one after the other, come to lie together.

Mikolov et al. 2013 ("Distributed representations of words and phrases and their compositionality"), on what customers
bought together or one after the other (Barkan & Koenigstein 2016, "Item2vec"), fitted by the library gensim. H&M
solutions had it of baskets and of histories, with windows of up to 32 articles.
"""

from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from hmgpu.data.store import History
from hmgpu.parts.models.neural.embedding_mean import EmbeddingMean
from hmgpu.parts.part import Count, Level


class Word2Vec(EmbeddingMean):
    """What is nearest to the mean of the latest articles, and, as a feature, how near every other candidate is."""

    days: Count = 45
    """How far back the sentences go."""
    sentences: Literal["histories", "baskets"] = "histories"
    """histories: one a customer, what he bought in order of days; baskets: one a customer and day."""
    of: Level = "article"
    """What the words are: articles, or products or another code of theirs, whose vector all its articles then have."""
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
    """Days on which customers must have bought a word, all together, for it to get a vector."""
    epochs: Count = 5
    """Passes over all sentences."""

    def needs(self) -> frozenset[str]:
        return frozenset({self.of} - {"article"})

    def needs_packages(self) -> frozenset[str]:
        return super().needs_packages() | {"gensim"}

    def vectors(self, history: History) -> pl.DataFrame:
        """Of all articles whose word was bought often enough, in company of others; the longest of length 1.

        On one thread of the CPU whatever the engine: with more of them, each fit would differ.
        """
        import torch
        from gensim.models.word2vec import Word2Vec as Gensim

        from hmgpu.core.vectors import quantised, shortened

        words = history.articles.select("article", word=self.of).drop_nulls()
        bought = history.last(self.days).join(words, on="article").select("customer", "day", "word").unique()
        ordered = self.context.engine.collect(bought.sort("customer", "day", "word"))
        together = ["customer"] if self.sentences == "histories" else ["customer", "day"]
        spoken = ordered.group_by(together, maintain_order=True).agg("word")
        sentences = spoken.filter(pl.col("word").list.len() > 1)["word"].to_list()
        model = Gensim(
            vector_size=self.dimensions,
            window=self.window,
            # A window of a random width makes near ones count more; a basket's order means nothing.
            shrink_windows=self.sentences == "histories",
            sg=int(self.model == "skip-gram"),
            negative=self.negatives,
            ns_exponent=self.negative_power,
            min_count=self.support,
            alpha=self.learning_rate,
            epochs=self.epochs,
            workers=1,
            seed=self.context.seed,
        )
        model.build_vocab(sentences)
        if len(model.wv):
            model.train(sentences, total_examples=model.corpus_count, epochs=model.epochs)
        found = model.wv.vectors
        if len(found):
            # What all have in common says nothing of taste. Lengths are kept: rare articles have the shorter vectors.
            found = found - found.mean(axis=0)
        keys = torch.tensor(model.wv.index_to_key, dtype=torch.int32)
        known = quantised(keys, shortened(torch.from_numpy(found)), "word").lazy()
        return self.context.engine.collect(words.join(known, on="word").drop("word").sort("article"))
