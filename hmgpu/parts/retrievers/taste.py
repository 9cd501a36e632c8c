"""What sells now, by how much the customer leans towards its category and how well it suits his taste within it.

Three factors, multiplied as in naive Bayes: how well the article sells; how many purchases of its category the customer
made, against how many others made in the same weeks (`neural.leaning`); and how near it is to the articles that he
chose within their categories (`neural.correspondence`). Trees approximate a product of small factors badly, so it is a
retriever of its own, and its factors are features of every candidate.

The product is of hmgpu's own making; where its factors come from, the modules say that they are in.
"""

import math
from typing import Annotated

import numpy as np
import polars as pl
from pydantic import Field

from hmgpu.core.plans import ONE, decayed, fixed_point, sample
from hmgpu.data.store import History
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.models.neural.correspondence import coordinates
from hmgpu.parts.models.neural.embedding import Embedding
from hmgpu.parts.models.neural.leaning import Doubles, band_ratios, bands, bought_rows, ratios, week_shares
from hmgpu.parts.part import Category, Count, Learned
from hmgpu.parts.retriever import Candidates

SCALE = 4  # by which logarithms are divided, so that products of vectors are exact in float32: see neural.topk
REACH = 4.0  # articles' vectors within categories that are longer are made so long: few are
HELD = 8.0  # a logarithm of sales further below the best seller's is no more than that


class Taste(Embedding):
    """Articles on sale by sales × leaning to the category × nearness within it, and these factors of any candidate."""

    by: Category = "department"
    """What a customer leans to."""
    days: Count = 730
    """How far back purchases tell a taste."""
    half_life: Annotated[float, Field(gt=0)] = 4.0
    """Days in which a sale counts half as much for how well an article sells now."""
    prior: Annotated[float, Field(gt=0)] = 0.25
    """Purchases of every category, as expected, that each customer is taken to have made beside his own."""
    calm: Annotated[float, Field(gt=0)] = 20.0
    """Purchases of no particular taste that each customer is taken to have made beside his own."""
    dimensions: Count = 12
    """Numbers that tell a taste within categories."""
    drawn: Count | None = 200_000
    """Customers from whom these are learned, drawn at random; null takes all."""
    on_sale: Count = 14
    """Only articles sold in this many days before the cutoff are retrieved."""
    n: Candidates = 60

    def needs(self) -> frozenset[str]:
        return frozenset({self.by})

    def learn(self, history: History) -> Learned:
        """`articles`: (article, share, `v…` int16, on_sale int8), `weeks`: (week, category, share), `ages`: (band,
        category, ratio), `coordinates`: (article, `x…`), `usual`: (week, category, `x…`), the means of what was sold.

        Shares of weeks, ratios and coordinates are int64 in steps of 2^-20.
        """
        # In memory, a dozen bytes a row: five plans start from it.
        rows = self.context.engine.collect(bought_rows(history, self.by, self.days)).lazy()
        weeks = self.context.engine.collect(week_shares(rows)).lazy()
        found = self._coordinates(rows)
        axes = found.columns[1:]
        sold = rows.join(found.lazy(), on="article").group_by("week", "category")
        sums = sold.agg(*(pl.col(name).sum() for name in axes), units=pl.len().cast(pl.Int64))
        return {
            "articles": self._articles(history, weeks, found),
            "weeks": weeks,
            "ages": band_ratios(rows, weeks, bands(history)),
            "coordinates": found.lazy(),
            "usual": sums.select("week", "category", *(_mean(name, "units") for name in axes)),
        }

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        """`customers`: (customer, `v…` int16) of all, whether they ever bought anything or not."""
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
        """Logarithms, float32: `taste_leaning` to the category, `taste_within` it, `taste`: their sum with that of the
        sales, and `taste_share`: the article's of its category's sales. Null where the candidate has no category.
        """
        from hmgpu.core.vectors import STEPS
        from hmgpu.parts.models.neural.topk import dots

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
        """(article, `x…` int64 in steps of 2^-20), from the customers that are drawn."""
        customers = sample(rows.select("customer").unique(), self.drawn, self.context.seed)
        asked = rows.join(customers, on="customer", how="semi")
        # A category has fewer than 2^20 codes.
        stratum = pl.col("week").cast(pl.Int64) * ONE + pl.col("category")
        bought = self.context.engine.collect(asked.select("customer", "article", stratum=stratum), fits=True)
        found = coordinates(bought, self.dimensions, self.calm, self.context.seed)
        return found.select("article", *(fixed_point(pl.col(name)) for name in found.columns[1:]))

    def _articles(self, history: History, weeks: pl.LazyFrame, found: pl.DataFrame) -> pl.LazyFrame:
        engine = self.context.engine
        weight = decayed(history.cutoff - pl.col("day"), self.half_life)
        # Older sales weigh less than the smallest step.
        sales = history.last(math.ceil(21 * self.half_life)).group_by("article").agg(weight=weight.sum())
        known = history.articles.select("article", category=self.by).drop_nulls()
        known = known.join(sales, on="article", how="left").join(found.lazy(), on="article", how="left")
        table = engine.collect(known.with_columns(pl.all().exclude("category").fill_null(0)).sort("article"))
        units = table["weight"].to_numpy() / ONE + 0.5
        logs = np.log(units / units.max(initial=1.0)).clip(-HELD) / SCALE
        categories = engine.collect(weeks.select("category").unique().sort("category"))["category"].to_numpy()
        own = (table["category"].to_numpy()[:, None] == categories).astype(np.float64)
        steps = _numbers(table, found.columns[1:]) / ONE
        share = pl.col("weight") / (pl.col("weight").sum().over("category") + 1)
        about = table.select("article", share=(share + 1e-4).log().cast(pl.Float32))
        vectors = _vectors("article", table, logs[:, None], own, _shortened(steps / REACH))
        return self.marked(about.join(vectors, on="article", maintain_order="left").lazy(), history)

    def _within(self, learned: Learned, rows: pl.LazyFrame, members: pl.DataFrame) -> Doubles:
        """(customers, dimensions): how far from the means of their strata the articles were that each chose."""
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


def _mean(total: str, number: str) -> pl.Expr:
    """A whole number, rounded towards 0: then nothing depends on which way an axis points."""
    towards_zero = pl.col(total).abs() // pl.col(number)
    return pl.when(pl.col(total) < 0).then(-towards_zero).otherwise(towards_zero).alias(total)


def _numbers(table: pl.DataFrame, columns: list[str]) -> Doubles:
    """(rows, columns), also where there are no columns: Polars forgets the rows then."""
    return table.select(columns).to_numpy().reshape(table.height, len(columns))


def _shortened(vectors: Doubles) -> Doubles:
    """Those that are longer than 1 made so long."""
    shortened: Doubles = vectors / np.maximum(1.0, np.linalg.norm(vectors, axis=1, keepdims=True))
    return shortened


def _vectors(key: str, table: pl.DataFrame, *parts: Doubles) -> pl.DataFrame:
    import torch

    from hmgpu.core.vectors import quantised

    return quantised(torch.from_numpy(table[key].to_numpy().copy()), torch.from_numpy(np.hstack(parts)), key)
