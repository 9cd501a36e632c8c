"""How an article sold in the months before its own last sale, however long ago that was.

In windows that end at the cutoff, an article that ran out a month ago looks like one that never sold; in windows that
end at its own last sale, the two differ.
"""

import polars as pl

from hmgpu.core.plans import packed, ratio, unpacked
from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Learned, Windows


class ArticleWindows(Feature):
    """Buyers, their median age, units, price and days on offer of each article, up to its last sale."""

    windows: Windows = (91, 182, 364)
    """Days up to and including the article's last sale; each window gives columns, and so does all time."""

    def learn(self, history: History) -> Learned:
        last = history.transactions.group_by("article").agg(last=pl.col("day").max())
        sold = history.transactions.join(last, on="article").with_columns(ago=pl.col("last") - pl.col("day"))
        tables = [self._sales(sold, history), self._buyers(sold, history)]
        if history.has("price"):
            price = pl.col("price").cast(pl.Int64)
            latest = sold.filter(pl.col("ago") == 0).group_by("article").agg(latest=price.sum() / pl.len())
            dearest = sold.group_by("article").agg(dearest=price.max()).join(latest, on="article")
            tables.append(
                dearest.select(
                    "article",
                    article_own_price=pl.col("latest").cast(pl.Float32),
                    article_own_discount=ratio(pl.col("latest"), pl.col("dearest")).cast(pl.Float32),
                )
            )
        joined = tables[0]
        for table in tables[1:]:
            joined = joined.join(table, on="article")
        return {"windows": joined}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return learned["windows"]

    def _sales(self, sold: pl.LazyFrame, history: History) -> pl.LazyFrame:
        """Return (article, units by window, days from the first to the last sale)."""
        counts = {f"article_own_units_{days}": (pl.col("ago") < days).sum().cast(pl.Int32) for days in self.windows}
        offered = (pl.col("ago").max() + 1).cast(pl.Int32)
        return sold.group_by("article").agg(
            **counts, article_own_units=pl.len().cast(pl.Int32), article_own_days=offered
        )

    def _buyers(self, sold: pl.LazyFrame, history: History) -> pl.LazyFrame:
        """Return (article, buyers by window, their median age by window)."""
        # Each customer once, by their last purchase, which lies in every window that reaches back to it.
        pairs = sold.select("ago", pair=packed("article", "customer")).group_by("pair").agg(pl.col("ago").min())
        buyers = pairs.select(*unpacked("pair", "article", "customer"), "ago")
        inside = {f"_{days}": pl.col("ago") < days for days in self.windows}
        facts = [seen.sum().cast(pl.Int32).alias(f"article_own_buyers{name}") for name, seen in inside.items()]
        facts.append(pl.len().cast(pl.Int32).alias("article_own_buyers"))
        if history.has("age"):
            buyers = buyers.join(history.customers.select("customer", "age"), on="customer", how="left")
            age = pl.col("age").cast(pl.Float32)
            for name, seen in inside.items():
                facts.append(pl.when(seen).then(age).median().alias(f"article_own_buyer_age{name}"))
            facts.append(age.median().alias("article_own_buyer_age"))
        return buyers.group_by("article").agg(*facts)
