"""Who bought the article lately and through which channel, and how like them the customer is.

`buyer_age` compares with the mean age of a season's buyers; what last week's buyers are like says who finds it now.
"""

import polars as pl

from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Count, Learned

PRIOR = 2.0  # purchases, one through the first channel and one not, that every customer and article is given


class ArticleBuyers(Feature):
    """Ages of an article's latest buyers and its share of the first channel, beside the customer's."""

    recent: Count = 7
    """Days back that buyers count as the latest."""
    days: Count = 91
    """Days back that the youngest and the oldest buyer, and an article's channels, are taken from."""

    def needs(self) -> frozenset[str]:
        return frozenset({"age", "channel"})

    def learn(self, history: History) -> Learned:
        """`buyers`: (article, the youngest's, the oldest's and the latest's mean age, share of the first channel)."""
        ages = history.customers.select("customer", age=pl.col("age").cast(pl.Int64))
        sold = history.last(max(self.days, self.recent)).join(ages, on="customer", how="left")
        ago = history.cutoff - pl.col("day")
        inside, lately = ago <= self.days, (ago <= self.recent) & pl.col("age").is_not_null()
        age = pl.when(inside).then(pl.col("age"))
        facts = sold.group_by("article").agg(
            youngest=age.min().cast(pl.Float32),
            oldest=age.max().cast(pl.Float32),
            total=pl.when(lately).then(pl.col("age")).otherwise(0).sum(),
            aged=lately.sum().cast(pl.Int64),
            first=(inside & (pl.col("channel") == 0)).sum().cast(pl.Int64),
            units=inside.sum().cast(pl.Int64),
        )
        return {
            "buyers": facts.select(
                "article",
                article_youngest_buyer="youngest",
                article_oldest_buyer="oldest",
                recent=pl.when(pl.col("aged") > 0).then(pl.col("total") / pl.col("aged")),
                through_first=_share("first", "units"),
            )
        }

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        """`ages`: (customer, age); `channels`: (customer, share of the first channel)."""
        first = (pl.col("channel") == 0).sum().cast(pl.Int64)
        used = audience.transactions.group_by("customer").agg(first=first, units=pl.len().cast(pl.Int64))
        ages = audience.customers.select("customer", pl.col("age").cast(pl.Float64)).drop_nulls()
        return {"ages": ages, "channels": used.select("customer", own_first=_share("first", "units"))}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        asked = pairs.select("customer", "article")
        for name, key in {"buyers": "article", "ages": "customer", "channels": "customer"}.items():
            asked = asked.join(learned[name], on=key, how="left", maintain_order="left")
        own, its = pl.col("own_first"), pl.col("through_first")
        return asked.select(
            "customer",
            "article",
            "article_youngest_buyer",
            "article_oldest_buyer",
            article_recent_buyer_age=pl.col("recent").cast(pl.Float32),
            article_recent_buyer_age_distance=(pl.col("age") - pl.col("recent")).abs().cast(pl.Float32),
            article_first_channel=its.cast(pl.Float32),
            # How likely it is that a purchase of each goes through that channel, or neither.
            channel_fit=(own * its + (1 - own) * (1 - its)).cast(pl.Float32),
        )


def _share(part: str, whole: str) -> pl.Expr:
    return (pl.col(part) + PRIOR / 2) / (pl.col(whole) + PRIOR)
