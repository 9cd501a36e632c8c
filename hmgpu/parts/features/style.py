"""How well the candidate's colour, pattern and price level agree with the customer's taste.

The "style" of a public solution of the H&M competition: once it is known what kind of article a customer needs, the
articles of that kind are sorted by colour, pattern and price.
"""

from typing import Annotated

import polars as pl
from pydantic import Field, field_validator

from hmgpu.core.plans import TODAY, decayed, fixed_point
from hmgpu.data.store import History
from hmgpu.data.tables import names
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Count, Learned

LOOKS = tuple(names("articles", ["code"]))


class Style(Feature):
    """How much more than others the customer buys of the candidate's look, and how far their price levels are apart.

    A look is a colour, a pattern or the like. A price level is the logarithm of a price relative to the mean of its
    product type: dear socks and a dear coat have the same one.
    """

    looks: Annotated[tuple[str, ...], Field(min_length=1)] = ("colour_master", "perceived_colour", "appearance")
    """Code columns of the articles that describe a look; a column that the retailer lacks is left out."""
    days: Count = 364
    """Days before the cutoff whose sales give everybody's shares and prices."""
    half_life: Annotated[float, Field(gt=0)] = 180.0
    """Days after which a customer's purchase counts half as much."""
    prior: Annotated[float, Field(gt=0)] = 5.0
    """Purchases of an average customer that are added to each customer's own; more pulls the taste of customers with
    few purchases towards everybody's."""

    @field_validator("looks")
    @classmethod
    def _are_looks(cls, looks: tuple[str, ...]) -> tuple[str, ...]:
        for look in looks:
            if look not in LOOKS:
                raise ValueError(f"'{look}' is not a look of articles; choose from {', '.join(LOOKS)}")
        return looks

    def needs(self) -> frozenset[str]:
        return frozenset({"price", "product_type"})

    def learn(self, history: History) -> Learned:
        """Return `articles` (article, looks, price level), and for each look `usual_…` (look, everybody's share)."""
        looks = [look for look in self.looks if history.has(look)]
        known = history.articles.select("article", *looks)
        price = pl.col("price").cast(pl.Int64)
        sold = history.last(self.days).group_by("article").agg(units=pl.len().cast(pl.Int64), paid=price.sum())
        typed = sold.join(history.articles.select("article", "product_type").drop_nulls(), on="article")
        types = typed.group_by("product_type").agg(type_units=pl.col("units").sum(), type_paid=pl.col("paid").sum())
        level = (pl.col("paid") / pl.col("units")) / (pl.col("type_paid") / pl.col("type_units"))
        levels = typed.join(types, on="product_type").filter(pl.col("paid") > 0).select("article", level=level.log())
        tables = {"articles": known.join(levels, on="article", how="left")}
        for look in looks:
            shares = sold.join(known.select("article", look).drop_nulls(), on="article").group_by(look)
            units = shares.agg(units=pl.col("units").sum())
            tables[f"usual_{look}"] = units.select(look, usual=pl.col("units") / pl.col("units").sum())
        return tables

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        """Return for each look `own_…` (customer, look, weight), and `totals` (customer, weight, price level)."""
        weight = decayed(audience.cutoff, self.half_life)
        bought = audience.transactions.join(learned["articles"], on="article").with_columns(weight=weight)
        # A level is the logarithm of a number below 2^62, so below 43: a customer's sum stays below 2^37 a purchase.
        level = fixed_point(pl.col("level") * (pl.col("weight") / TODAY), TODAY)
        totals = bought.group_by("customer").agg(total=pl.col("weight").sum(), own_level=level.sum())
        own = {
            f"own_{look}": bought.filter(pl.col(look).is_not_null())
            .group_by("customer", look)
            .agg(weight=pl.col("weight").sum())
            for look in self._looks(learned)
        }
        return own | {"totals": totals}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        looks = self._looks(learned)
        asked = pairs.select("customer", "article")
        asked = asked.join(learned["articles"], on="article", how="left", maintain_order="left")
        asked = asked.join(learned["totals"], on="customer", how="left", maintain_order="left")
        total, own_level = (pl.col(name).fill_null(0) / TODAY for name in ("total", "own_level"))
        for look in looks:
            asked = asked.join(learned[f"usual_{look}"], on=look, how="left", maintain_order="left")
            asked = asked.join(learned[f"own_{look}"], on=["customer", look], how="left", maintain_order="left")
            more = (pl.col("weight").fill_null(0) / TODAY / pl.col("usual") + self.prior) / (total + self.prior)
            asked = asked.with_columns(more.log().alias(f"style_{look}")).drop("usual", "weight")
        names = [f"style_{look}" for look in looks]
        away = pl.col("level") - own_level / (total + self.prior)
        agreement = sum((pl.col(name).fill_null(0.0) for name in names), pl.lit(0.0))
        columns = {
            **{name: pl.col(name) for name in names},
            "style_agreement": agreement,
            "style_price_level": pl.col("level"),
            "style_price_away": away,
        }
        return asked.select("customer", "article", **{name: it.cast(pl.Float32) for name, it in columns.items()})

    def _looks(self, learned: Learned) -> list[str]:
        return [look for look in self.looks if f"usual_{look}" in learned]
