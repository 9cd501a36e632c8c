"""The common base of retrievers that propose the best articles for each value of a customer or article attribute."""

from abc import abstractmethod
from collections.abc import Mapping
from functools import reduce
from operator import add

import polars as pl
from pydantic import field_validator

from hmgpu.core.plans import decayed, top_n
from hmgpu.data.store import History
from hmgpu.data.tables import names
from hmgpu.parts.gender import COLUMN, DEFAULT_MEN, DEFAULT_WOMEN, article_gender, customer_gender
from hmgpu.parts.part import Count, Learned
from hmgpu.parts.retriever import Candidates, Retriever

AGE_BANDS = (19, 29, 39, 49, 59, 69)  # last year of each band; the bands that public solutions settled on
PRICE_LEVELS = 5
LEVELS_ABOVE = range(1, PRICE_LEVELS)
DERIVED = {"age_band": "age", "price_level": "price", "channel": "channel", "gender": COLUMN}
"""Customer attributes that are computed, and the column that each needs."""
FROM_HABITS = ("price_level", "channel", "gender")
"""The computed attributes that depend on what a customer bought."""
ALIKE = {
    "age_band": "of your age",
    "price_level": "who pay as much as you",
    "channel": "who buy through the same channel",
    "gender": "who buy for the same gender",
}
"""How customers of one tag are alike, said to one of them."""
OF_CUSTOMERS = (*DERIVED, *names("customers", ["code", "flag"]))
OF_ARTICLES = tuple(names("articles", ["code"]))


class ByAttribute(Retriever):
    """The best articles by any attribute of customers (age band, channel, …) or of articles (department, …).

    With a customer attribute, each customer has one tag and gets the best articles among customers with that tag. With
    an article attribute, each customer has the tags that they bought most lately and gets the best articles with those
    tags.
    """

    by: str = "age_band"
    """The attribute whose values are the tags: age_band, price_level (fifth of customers by the mean price that they
    pay), channel (the one that the customer used most), gender (women's or men's, if four fifths of the women's and
    men's articles that the customer bought are one of them), or any code or flag column of customers or articles."""
    habit_days: Count = 182
    """Days before the cutoff whose purchases by a customer decide their tags, price level, channel or gender."""
    tags: Count = 3
    """Article attributes only: how many tags each customer has, those that they bought most."""
    women: tuple[str, ...] = DEFAULT_WOMEN
    """For gender: values of the articles' column `index_group_name` that are women's."""
    men: tuple[str, ...] = DEFAULT_MEN
    """For gender: values of `index_group_name` that are men's; all others are neither."""
    n: Candidates = 40

    @field_validator("by")
    @classmethod
    def _is_attribute(cls, by: str) -> str:
        if by not in OF_CUSTOMERS + OF_ARTICLES:
            raise ValueError(f"'{by}' is not an attribute; choose from {', '.join(OF_CUSTOMERS + OF_ARTICLES)}")
        return by

    def idle(self) -> Mapping[str, str]:
        idle = {} if self.by in OF_ARTICLES else {"tags": "with an attribute of articles"}
        if self.by not in (*OF_ARTICLES, *FROM_HABITS):
            idle["habit_days"] = f"with {', '.join(FROM_HABITS)} or an attribute of articles"
        if self.by != "gender":
            idle |= dict.fromkeys(("women", "men"), "with by: gender")
        return idle

    def needs(self) -> frozenset[str]:
        return frozenset({DERIVED.get(self.by, self.by)})

    def learn(self, history: History) -> Learned:
        sold = self._sold(history)
        tables = {}
        if self.by in OF_ARTICLES:
            tagged = sold.join(self._groups(history), on="article")
        else:
            if self.by == "price_level":
                tables["levels"] = self._price_levels(history)
            # Only the tags of customers who bought lately count here, so only these are computed.
            buyers = history.of(sold.select("customer").unique())
            tagged = sold.join(self._customer_tags(tables, buyers), on="customer")
        sales = self._sales(tagged)
        # Each tag's sales as a share of its best seller's, so that a large department doesn't drown a small one.
        share = pl.col("sales") / pl.col("sales").max().over("tag")
        best = top_n(sales.with_columns(sales=share), self.n, by="tag", score="sales").drop("rank")
        return tables | {"best": best}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        if self.by in OF_ARTICLES:
            return {"tags": self._article_tags(audience).select("customer", "tag", "weight")}
        return {"tags": self._customer_tags(learned, audience).with_columns(weight=pl.lit(1.0))}

    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        tags = learned["tags"].join(customers, on="customer", how="semi")
        score = pl.col("weight") * pl.col("sales")
        offered = tags.join(learned["best"], on="tag").select("customer", "article", score=score)
        return top_n(offered, self.n, by="customer")

    def reason(self) -> str:
        if self.by in OF_ARTICLES:
            return f"best seller in {{{self.by}_name}}"
        return f"best seller among customers {ALIKE.get(self.by, 'like you')}"

    @abstractmethod
    def _sold(self, history: History) -> pl.LazyFrame:
        """Return the purchases of all customers that count, each with its int64 `weight`."""

    @abstractmethod
    def _sales(self, tagged: pl.LazyFrame) -> pl.LazyFrame:
        """Return (tag, article, sales int64): how well each article does with each tag, from `_sold` with a `tag`."""

    def _article_tags(self, history: History) -> pl.LazyFrame:
        """Return (customer, tag, weight float64): the tags that each customer bought most lately, 1 for the first."""
        bought = history.last(self.habit_days).join(self._groups(history), on="article")
        weight = decayed(history.cutoff, self.habit_days / 4, self.habit_days)
        liked = bought.group_by("customer", "tag").agg(weight=weight.sum())
        best = top_n(liked, self.tags, by="customer", score="weight", tie="tag")
        return best.with_columns(weight=pl.col("weight") / pl.col("weight").max().over("customer"))

    def _groups(self, history: History) -> pl.LazyFrame:
        return history.articles.select("article", tag=pl.col(self.by)).drop_nulls()

    def _customer_tags(self, learned: Learned, history: History) -> pl.LazyFrame:
        """Return (customer, tag): the one tag of each customer who has any."""
        habits = history.last(self.habit_days)
        if self.by == "age_band":
            band = pl.lit(len(AGE_BANDS))
            for position, last_year in reversed(list(enumerate(AGE_BANDS))):
                band = pl.when(pl.col("age") <= last_year).then(position).otherwise(band)
            return history.customers.select("customer", "age").drop_nulls().select("customer", tag=band.cast(pl.Int32))
        if self.by == "channel":
            used = habits.group_by("customer", tag=pl.col("channel").cast(pl.Int32)).agg(units=pl.len())
            return top_n(used, 1, by="customer", score="units", tie="tag").select("customer", "tag")
        if self.by == "price_level":
            paid = self._paid(history).join(learned["levels"], how="cross")
            reached = [pl.when(pl.col("paid") >= pl.col(f"level_{k}")).then(1).otherwise(0) for k in LEVELS_ABOVE]
            level = reduce(add, reached)
            return paid.select("customer", tag=level.cast(pl.Int32))
        if self.by == "gender":
            articles = article_gender(history, self.women, self.men)
            return customer_gender(habits, articles).select("customer", tag="gender").drop_nulls()
        return history.customers.select("customer", tag=pl.col(self.by).cast(pl.Int32)).drop_nulls()

    def _paid(self, history: History) -> pl.LazyFrame:
        """Return (customer, paid): the mean price of each customer's purchases, rounded down to price units."""
        habits = history.last(self.habit_days)
        return habits.group_by("customer").agg(paid=pl.col("price").cast(pl.Int64).sum() // pl.len())

    def _price_levels(self, history: History) -> pl.LazyFrame:
        """Return one row: the lower bound of each price level above the lowest, in price units."""
        ordered = self._paid(history).select("paid").sort("paid").with_row_index("place")
        counted = ordered.join(ordered.select(customers=pl.len().cast(pl.Int64)), how="cross")
        level = pl.col("place").cast(pl.Int64) * PRICE_LEVELS // pl.col("customers")
        leveled = counted.select("paid", level=level)
        least = {f"level_{k}": pl.when(pl.col("level") == k).then(pl.col("paid")).min() for k in LEVELS_ABOVE}
        return leveled.select(**least)
