"""The customer table's columns: age, club membership, newsletter and the like.

The columns of the H&M competition's `customers.csv`. They are a snapshot as of the last day, not of each week.
"""

import polars as pl

from hmgpu.data.store import History
from hmgpu.data.tables import names
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Learned

PROFILE = tuple(name for name in names("customers", ["flag", "code", "age"]) if name != "postal_code")


class CustomerProfile(Feature):
    """The customer table's own columns, as many of them as the retailer has.

    The postal code is left out: its hundreds of thousands of unordered codes only invite a tree to overfit.
    """

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        present = [name for name in PROFILE if audience.has(name)]
        return {"profile": audience.customers.select("customer", *(pl.col(name) for name in present))}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return learned["profile"]
