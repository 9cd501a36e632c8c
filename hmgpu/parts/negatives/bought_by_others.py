"""Articles that other customers bought in the customer's usual categories, on the days when the customer shopped.

One of the two ways in which a public H&M system sampled its negatives; `same_category` is the other.
"""

import polars as pl

from hmgpu.parts.negative_sampler import NegativeSampler, TrainingWeek, draw_negatives, times
from hmgpu.parts.part import Category, Count


class BoughtByOthers(NegativeSampler):
    """Articles that anybody bought on a day when the customer bought a candidate, in categories that the customer buys.

    Categories are sampled in the proportions of the customer's purchases before the week, articles in the proportions
    of their sales on that day. So a negative was on sale, was wanted by somebody, and is of a kind that the customer
    buys.
    """

    n: Count = 5
    """Negatives sampled for each customer and training week."""
    by: Category = "product_type"
    """What a category is: any code column of the articles."""

    def needs(self) -> frozenset[str]:
        return frozenset({self.by})

    def draw(self, week: TrainingWeek) -> pl.LazyFrame:
        # An article first sold in the week is not in the history before it, and nobody's candidate.
        categories = week.history.articles.select("article", category=pl.col(self.by)).drop_nulls()
        asked = times(week.customers, self.n)
        own = week.history.transactions.join(week.customers, on="customer", how="semi")
        habits = own.join(categories, on="article").select("customer", "category")
        shelves = draw_negatives(asked, habits, "customer", week.seed)
        days = week.sold.join(week.bought, on=["customer", "article"], how="semi").select("customer", "day")
        visits = draw_negatives(shelves, days, "customer", week.seed + 1)
        taken = week.sold.join(categories, on="article").select("day", "category", "article")
        return draw_negatives(visits, taken, ["day", "category"], week.seed + 2).select("customer", "article")
