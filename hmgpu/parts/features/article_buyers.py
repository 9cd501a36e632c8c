"""Ages and channels of an article's latest buyers, and how similar the customer is to them.

`buyer_age` compares the customer with all buyers of a season; the buyers of last week show who finds the article now.
"""

import polars as pl

from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Count, Learned

PRIOR = 2.0  # purchases that are added to those of every customer and article, half of them in the first channel


class ArticleBuyers(Feature):
    """Ages of an article's latest buyers and its share of the first channel, compared with the customer's."""

    recent: Count = 7
    """Days before the cutoff whose buyers count as the latest."""
    days: Count = 91
    """Days before the cutoff from which the youngest and the oldest buyer and an article's channels are taken."""

    def needs(self) -> frozenset[str]:
        return frozenset({"age", "channel"})

    def learn(self, history: History) -> Learned:
        """Return `buyers`: (article, youngest age, oldest age, mean age of the latest, share of the first channel)."""
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
        """Return `ages` (customer, age) and `channels` (customer, share of the first channel)."""
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
            # The probability that a purchase by the customer and one of the article go through the same channel.
            channel_fit=(own * its + (1 - own) * (1 - its)).cast(pl.Float32),
        )


def _share(part: str, whole: str) -> pl.Expr:
    return (pl.col(part) + PRIOR / 2) / (pl.col(whole) + PRIOR)
