"""What a customer bought in the months before their last shopping day, however long ago that was.

Windows that end at the cutoff are empty for customers who stayed away for a while; windows that end at their own last
shopping day still describe how they shop. `customer_habits` has the windows that end at the cutoff.
"""

import polars as pl

from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Learned, Windows


class CustomerWindows(Feature):
    """Units, articles, shopping days, spend and channels of each customer, up to their last shopping day."""

    windows: Windows = (91, 182, 364)
    """Days up to and including the customer's last shopping day; each window gives columns."""

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        last = audience.transactions.group_by("customer").agg(last=pl.col("day").max())
        bought = audience.transactions.join(last, on="customer").with_columns(ago=pl.col("last") - pl.col("day"))
        tables = [bought.group_by("customer").agg(*self._units(audience))]
        # Each article, day or channel once, by its latest purchase, which lies in every window that reaches back to it.
        for what, key in {"articles": "article", "days": "day"}.items():
            tables.append(self._count_different(bought, key, what))
        if audience.has("channel"):
            used = bought.group_by("customer").agg(customer_channels=pl.col("channel").n_unique().cast(pl.Int32))
            tables += [used, self._count_different(bought, "channel", "channels")]
        joined = tables[0]
        for table in tables[1:]:
            joined = joined.join(table, on="customer")
        return {"windows": joined}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return learned["windows"]

    def _units(self, audience: History) -> list[pl.Expr]:
        inside = {days: pl.col("ago") < days for days in self.windows}
        units = [seen.sum().cast(pl.Int32).alias(f"customer_own_units_{days}") for days, seen in inside.items()]
        if not audience.has("price"):
            return units
        price = pl.col("price").cast(pl.Int64)
        spend = [
            (price * seen).sum().cast(pl.Float32).alias(f"customer_own_spend_{days}") for days, seen in inside.items()
        ]
        return [*units, *spend, price.sum().cast(pl.Float32).alias("customer_spend")]

    def _count_different(self, bought: pl.LazyFrame, key: str, what: str) -> pl.LazyFrame:
        """Return (customer, the number of different values of `key` in each window)."""
        latest = bought.group_by("customer", key).agg(pl.col("ago").min())
        counts = {f"customer_own_{what}_{days}": (pl.col("ago") < days).sum().cast(pl.Int32) for days in self.windows}
        return latest.group_by("customer").agg(**counts)
