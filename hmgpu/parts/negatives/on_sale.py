"""Random articles that were on sale before the week, all equally likely or in proportion to their sales."""

from typing import Literal

import polars as pl

from hmgpu.parts.negative_sampler import NegativeSampler, TrainingWeek, draw_for_each
from hmgpu.parts.part import Count


class OnSale(NegativeSampler):
    """Articles sold before the week, sampled at random, whether they are the customer's candidates or not.

    The random negatives of models of implicit feedback: He et al. 2017 ("Neural collaborative filtering") sample 4
    articles for each positive, all equally likely; word2vec samples words in proportion to how often they occur.
    """

    n: Count = 5
    """Negatives sampled for each customer and training week."""
    days: Count = 7
    """Days before the week in which an article must have sold to be sampled."""
    by: Literal["article", "sale"] = "article"
    """article: all articles are equally likely; sale: all units sold are, so best sellers are sampled often."""

    def draw(self, week: TrainingWeek) -> pl.LazyFrame:
        sold = week.history.last(self.days).select("article")
        pool = sold.unique() if self.by == "article" else sold
        return draw_for_each(week.customers, self.n, pool, week.seed)
