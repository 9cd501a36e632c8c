"""Word2vec with articles as words: articles that are bought together or one after the other get similar vectors.

Mikolov et al. 2013 ("Distributed representations of words and phrases and their compositionality"), with purchases of
one customer in place of sentences (Barkan & Koenigstein 2016, "Item2vec"), fitted by the library gensim on the CPU, by
torch on a GPU. H&M solutions fitted it on baskets and on histories, with windows of up to 32 articles.
"""

from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from hmgpu.data.store import History
from hmgpu.parts.models.space.embedding_mean import EmbeddingMean
from hmgpu.parts.part import Count, Level


class Word2Vec(EmbeddingMean):
    """Articles nearest to the mean of the customer's latest; as a feature, how near each candidate is to it."""

    days: Count = 45
    """Days before the cutoff whose purchases form the sentences."""
    sentences: Literal["histories", "baskets"] = "histories"
    """What a sentence is. histories: all purchases of a customer in order of days; baskets: the purchases of a customer
    on one day."""
    of: Level = "article"
    """What a word is: an article, its product, or another code column of the articles; articles of the same product or
    code then share one vector."""
    dimensions: Count = 64
    """Length of the vectors; longer ones hold finer tastes, need more purchases and more time."""
    window: Count = 16
    """Words before and after a word in the sentence that are its context."""
    model: Literal["skip-gram", "cbow"] = "skip-gram"
    """skip-gram: predict the context from the word; cbow: predict the word from its context."""
    negatives: Count = 5
    """Negative words sampled for each true one."""
    negative_power: Annotated[float, Field(ge=0)] = 0.75
    """Negatives are sampled in proportion to the word's sales to this power: 1 by sales, 0 all equally likely."""
    learning_rate: Annotated[float, Field(gt=0)] = 0.05
    """Step size of stochastic gradient descent at the start; it falls linearly to almost nothing."""
    support: Count = 2
    """Times that a word must occur in all sentences to get a vector, counted once for each customer and day."""
    epochs: Count = 5
    """Passes over all sentences."""

    def needs(self) -> frozenset[str]:
        return frozenset({self.of} - {"article"})

    def needs_packages(self) -> frozenset[str]:
        return super().needs_packages() | {"gensim"}

    def vectors(self, history: History) -> pl.DataFrame:
        """Return the vectors of all articles whose word occurs often enough; the longest has length 1.

        Sentences of one word don't count. The two engines sample different negatives, so their vectors differ as those
        of two seeds do.
        """
        import torch

        from hmgpu.core.vectors import quantised, shortened
        from hmgpu.parts.models.factors import by_gensim, skip_gram

        engine = self.context.engine
        words = history.articles.select("article", word=self.of).drop_nulls()
        bought = history.last(self.days).join(words, on="article").select("customer", "day", "word").unique()
        ordered = engine.collect(bought.sort("customer", "day", "word"))
        together = ["customer"] if self.sentences == "histories" else ["customer", "day"]
        grouped = ordered.group_by(together, maintain_order=True).agg("word")
        sentences = grouped.filter(pl.col("word").list.len() > 1)["word"]
        settings = skip_gram.Reading(
            dimensions=self.dimensions,
            window=self.window,
            # A random width of the window makes near words count more; the order within a basket means nothing.
            shrink=self.sentences == "histories",
            skip_gram=self.model == "skip-gram",
            negatives=self.negatives,
            negative_power=self.negative_power,
            learning_rate=self.learning_rate,
            support=self.support,
            epochs=self.epochs,
            seed=self.context.seed,
        )
        keys, found, _ = engine.either(by_gensim.read, skip_gram.read)(sentences, settings, engine.device)
        if len(found):
            # What all vectors have in common is not taste. Lengths are kept: rare articles have shorter vectors.
            found = found - found.mean(axis=0)
        known = quantised(torch.from_numpy(keys.copy()), shortened(torch.from_numpy(found)), "word").lazy()
        return engine.collect(words.join(known, on="word").drop("word").sort("article"))
