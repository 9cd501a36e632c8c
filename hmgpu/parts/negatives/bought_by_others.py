"""What others took from the same shelves on the same day.

One of the two ways in which a public H&M system drew its negatives; `same_category` is the other.
"""

import polars as pl

from hmgpu.parts.negative_sampler import NegativeSampler, TrainingWeek, draw_negatives, times
from hmgpu.parts.part import Category, Count


class BoughtByOthers(NegativeSampler):
    """Articles that anybody bought on a day of one of the customer's positives, in the proportions of his categories.

    His positives are the candidates that he bought in the week; the proportions are those of all that he bought before
    it. What is drawn was on sale, wanted, and of a kind he buys; a best seller comes as often as it sold.
    """

    n: Count = 5
    """Articles a customer."""
    by: Category = "product_type"
    """The category: any code column of the articles."""

    def needs(self) -> frozenset[str]:
        return frozenset({self.by})

    def draw(self, week: TrainingWeek) -> pl.LazyFrame:
        # An article first sold in the week is in no history before it, and no candidate of anybody.
        categories = week.history.articles.select("article", category=pl.col(self.by)).drop_nulls()
        asked = times(week.customers, self.n)
        own = week.history.transactions.join(week.customers, on="customer", how="semi")
        habits = own.join(categories, on="article").select("customer", "category")
        shelves = draw_negatives(asked, habits, "customer", week.seed)
        days = week.sold.join(week.bought, on=["customer", "article"], how="semi").select("customer", "day")
        visits = draw_negatives(shelves, days, "customer", week.seed + 1)
        taken = week.sold.join(categories, on="article").select("day", "category", "article")
        return draw_negatives(visits, taken, ["day", "category"], week.seed + 2).select("customer", "article")
