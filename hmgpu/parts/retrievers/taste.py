"""Articles that sell now, weighted by the customer's liking for their category and for such articles within it.

Three factors, multiplied as in naive Bayes: how well the article sells; how much of its category the customer bought
compared with others in the same weeks (`space.leaning`); and how near the article is to those that the customer chose
within their categories (`space.correspondence`). Trees approximate a product of small factors badly, so it is a
retriever of its own, and its factors are features of every candidate.

The product is hmgpu's own idea; the modules of the factors name their sources.
"""

import math
from typing import Annotated

import numpy as np
import polars as pl
from pydantic import Field

from hmgpu.core.plans import ONE, TODAY, decayed, fixed_point, sample
from hmgpu.data.store import History
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.models.space.correspondence import coordinates
from hmgpu.parts.models.space.embedding import Embedding
from hmgpu.parts.models.space.leaning import Doubles, band_ratios, bands, bought_rows, ratios, week_shares
from hmgpu.parts.part import Category, Count, Learned
from hmgpu.parts.retriever import Candidates

SCALE = 4  # logarithms are divided by this, so that products of vectors are exact in float32: see space.topk
REACH = 4.0  # longest vector of an article within its category; the few longer ones are shortened to it
HELD = 8.0  # how far the logarithm of an article's sales can be below the best seller's; cut off there


class Taste(Embedding):
    """Articles on sale, ordered by sales × leaning to the category × nearness within it; the factors are features.

    A customer's leaning is how much more of a category they buy than others do; nearness compares an article with those
    that the customer chose within their categories.
    """

    by: Category = "department"
    """What a category is: any code column of the articles."""
    days: Count = 730
    """Days before the cutoff whose purchases describe a customer's taste."""
    half_life: Annotated[float, Field(gt=0)] = 4.0
    """Days after which a sale counts half as much for how well an article sells now."""
    prior: Annotated[float, Field(gt=0)] = 0.25
    """Expected purchases of every category that are added to each customer's own; more pulls the leanings of customers
    with few purchases towards those of their age group."""
    calm: Annotated[float, Field(gt=0)] = 20.0
    """Purchases without a particular taste that are added to each customer's own; more makes the taste of customers
    with few purchases weaker."""
    dimensions: Count = 12
    """Length of the vectors that describe taste within categories."""
    drawn: Count | None = 200_000
    """Customers, sampled at random, whose purchases these vectors are learned from; null takes all."""
    on_sale: Count = 14
    """Only articles that sold in this many days before the cutoff are proposed."""
    n: Candidates = 60

    def needs(self) -> frozenset[str]:
        return frozenset({self.by})

    def learn(self, history: History) -> Learned:
        """Return the tables `articles`, `weeks`, `ages`, `coordinates` and `usual`.

        `articles` is (article, share, `v…` int16, on_sale int8), `weeks` (week, category, share), `ages` (band,
        category, ratio), `coordinates` (article, `x…`), and `usual` (week, category, `x…`): the means of what was sold.

        Shares of weeks, ratios and coordinates are int64 in steps of 2^-20.
        """
        # Held in memory at a dozen bytes a row, because five plans start from it.
        rows = self.context.engine.collect(bought_rows(history, self.by, self.days)).lazy()
        weeks = self.context.engine.collect(week_shares(rows)).lazy()
        found = self._coordinates(rows)
        axes = found.columns[1:]
        sold = rows.join(found.lazy(), on="article").group_by("week", "category")
        # Coordinates are far below 2^12, so that their sums over fewer than 2^31 rows in steps of 2^-20 fit.
        sums = sold.agg(*(pl.col(name).sum() for name in axes), units=pl.len().cast(pl.Int64))
        return {
            "articles": self._articles(history, weeks, found),
            "weeks": weeks,
            "ages": band_ratios(rows, weeks, bands(history)),
            "coordinates": found.lazy(),
            "usual": sums.select("week", "category", *(_mean(name, "units") for name in axes)),
        }

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        """Return `customers`: (customer, `v…` int16) of all customers, also of those who never bought anything."""
        engine = self.context.engine
        members = engine.collect(bands(audience).sort("customer"))
        rows = engine.collect(bought_rows(audience, self.by, self.days))
        weeks, ages = (engine.collect(learned[name].sort(pl.all())) for name in ("weeks", "ages"))
        leaning = np.log(ratios(rows, weeks, ages, members, self.prior)).clip(-SCALE, SCALE) / SCALE
        within = self._within(learned, rows.lazy(), members)
        return {"customers": _vectors("customer", members, np.ones((members.height, 1)), leaning, within).lazy()}

    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        nearest = super().retrieve(learned, customers)
        return nearest.with_columns(score=(pl.col("score").cast(pl.Float64) * SCALE).exp().cast(pl.Float32))

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        """Compute `taste_leaning`, `taste_within`, `taste` and `taste_share`, all float32 logarithms.

        `taste_leaning` is the customer's leaning to the category, `taste_within` the nearness within it, `taste` the
        sum of both and of the logarithm of the sales, and `taste_share` the article's share of its category's sales.
        Null if the candidate has no category.
        """
        from hmgpu.core.vectors import STEPS
        from hmgpu.parts.models.space.topk import dots

        engine = self.context.engine
        keys = engine.collect(pairs.select(KEYS), fits=True)
        articles = engine.collect(learned["articles"].sort("article"))
        customers = engine.collect(learned["customers"])
        sales, *vectors = (name for name in customers.columns if name.startswith("v"))
        within = len(learned["coordinates"].collect_schema()) - 1
        parts = {"taste_leaning": vectors[: len(vectors) - within], "taste_within": vectors[len(vectors) - within :]}
        for name, columns in parts.items():
            product = dots(keys, customers.select("customer", *columns), articles.select("article", *columns), engine)
            keys = keys.with_columns((product * SCALE).alias(name))
        selling = articles.lazy().select("article", sales=pl.col(sales) * (SCALE / STEPS), taste_share="share")
        described = keys.lazy().join(selling, on="article", how="left", maintain_order="left")
        taste = pl.col("sales").cast(pl.Float32) + pl.col("taste_leaning") + pl.col("taste_within")
        return described.select(*KEYS, *parts, "taste_share", taste=taste)

    def _coordinates(self, rows: pl.LazyFrame) -> pl.DataFrame:
        """Learn (article, `x…` int64 in steps of 2^-20) from the sampled customers."""
        customers = sample(rows.select("customer").unique(), self.drawn, self.context.seed)
        asked = rows.join(customers, on="customer", how="semi")
        # A category has fewer than 2^20 codes.
        stratum = pl.col("week").cast(pl.Int64) * ONE + pl.col("category")
        bought = self.context.engine.collect(asked.select("customer", "article", stratum=stratum), fits=True)
        found = coordinates(bought, self.dimensions, self.calm, self.context.seed)
        return found.select("article", *(fixed_point(pl.col(name)) for name in found.columns[1:]))

    def _articles(self, history: History, weeks: pl.LazyFrame, found: pl.DataFrame) -> pl.LazyFrame:
        engine = self.context.engine
        # Sales before these days weigh less than a millionth of the half unit that every article gets below.
        days = math.ceil(min(21 * self.half_life, history.cutoff))
        weight = decayed(history.cutoff, self.half_life, days)
        sales = history.last(days).group_by("article").agg(weight=weight.sum())
        known = history.articles.select("article", category=self.by).drop_nulls()
        known = known.join(sales, on="article", how="left").join(found.lazy(), on="article", how="left")
        table = engine.collect(known.with_columns(pl.all().exclude("category").fill_null(0)).sort("article"))
        units = table["weight"].to_numpy() / TODAY + 0.5
        logs = np.log(units / units.max(initial=1.0)).clip(-HELD) / SCALE
        categories = engine.collect(weeks.select("category").unique().sort("category"))["category"].to_numpy()
        own = (table["category"].to_numpy()[:, None] == categories).astype(np.float64)
        steps = _numbers(table, found.columns[1:]) / ONE
        share = pl.col("weight") / (pl.col("weight").sum().over("category") + 1)
        shares = table.select("article", share=(share + 1e-4).log().cast(pl.Float32))
        vectors = _vectors("article", table, logs[:, None], own, _shortened(steps / REACH))
        return self.marked(shares.join(vectors, on="article", maintain_order="left").lazy(), history)

    def _within(self, learned: Learned, rows: pl.LazyFrame, members: pl.DataFrame) -> Doubles:
        """Return how far the articles that each customer chose were from the means of their week and category.

        The matrix is (customers, dimensions).
        """
        engine = self.context.engine
        found = engine.collect(learned["coordinates"])
        places = found.columns[1:]
        usual = learned["usual"].rename({name: f"usual_{name}" for name in places})
        chosen = rows.join(found.lazy(), on="article").join(usual, on=["week", "category"])
        away = (pl.col(name) - pl.col(f"usual_{name}") for name in places)
        sums = chosen.group_by("customer").agg(*(each.sum() for each in away), bought=pl.len())
        asked = members.lazy().select("customer").join(sums, on="customer", how="left", maintain_order="left")
        table = engine.collect(asked.with_columns(pl.all().fill_null(0)))
        means = _numbers(table, places) / ONE / (table["bought"].to_numpy()[:, None] + self.calm)
        return _shortened(means * REACH / SCALE)

    def reason(self) -> str:
        return "sells well and suits your taste"


def _mean(total: str, number: str) -> pl.Expr:
    """Divide whole numbers, rounding towards 0, so that nothing depends on which way an axis points."""
    towards_zero = pl.col(total).abs() // pl.col(number)
    return pl.when(pl.col(total) < 0).then(-towards_zero).otherwise(towards_zero).alias(total)


def _numbers(table: pl.DataFrame, columns: list[str]) -> Doubles:
    """Return a matrix (rows, columns), even without columns, when Polars would forget the number of rows."""
    return table.select(columns).to_numpy().reshape(table.height, len(columns))


def _shortened(vectors: Doubles) -> Doubles:
    """Scale vectors longer than 1 down to length 1."""
    shortened: Doubles = vectors / np.maximum(1.0, np.linalg.norm(vectors, axis=1, keepdims=True))
    return shortened


def _vectors(key: str, table: pl.DataFrame, *parts: Doubles) -> pl.DataFrame:
    import torch

    from hmgpu.core.vectors import quantised

    return quantised(torch.from_numpy(table[key].to_numpy().copy()), torch.from_numpy(np.hstack(parts)), key)
