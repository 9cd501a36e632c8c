"""Anything on sale before the week: by article or by sale, from the last days only or from further back."""

from typing import Literal

import polars as pl

from hmgpu.parts.negative_sampler import NegativeSampler, TrainingWeek, draw_for_each
from hmgpu.parts.part import Count


class OnSale(NegativeSampler):
    """Articles sold before the week, drawn at random, the customer's candidates or not.

    The random negatives of implicit-feedback models (He et al. 2017, "Neural collaborative filtering", draw 4 to each
    positive by article; word2vec's draw in proportion to how often something occurs).
    """

    n: Count = 5
    """Articles a customer."""
    days: Count = 7
    """How far back an article must have sold."""
    by: Literal["article", "sale"] = "article"
    """article: all articles are as likely; sale: all units sold are, so best sellers come often."""

    def draw(self, week: TrainingWeek) -> pl.LazyFrame:
        sold = week.history.last(self.days).select("article")
        pool = sold.unique() if self.by == "article" else sold
        return draw_for_each(week.customers, self.n, pool, week.seed)
