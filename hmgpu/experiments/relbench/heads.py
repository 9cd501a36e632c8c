"""Two small models on the columns of the pipeline's own feature families: who won't come back, and what will sell.

They are for RelBench's `user-churn` and `item-sales`, which are asked at the origins of the recommendations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from hmgpu.core.errors import ConfigError
from hmgpu.experiments.relbench import tables
from hmgpu.experiments.relbench.nodes import Nodes
from hmgpu.experiments.relbench.protocol import TEST, VALIDATION, Origin
from hmgpu.experiments.relbench.trees import Floats, Rows, fitted
from hmgpu.parts.feature import Feature
from hmgpu.pipeline.context import StepContext
from hmgpu.pipeline.describe import columns_of
from hmgpu.pipeline.families import feature_step

CUSTOMERS = ("customer_habits", "customer_windows", "customer_season", "customer_profile")
ARTICLES = ("article_sales", "article_price", "article_rank", "article_windows", "demand")
"""Kinds of families whose columns a head reads, of those that the config has."""
ON_SALE = 28  # days: an article that sold in none of them is predicted to sell nothing
CHURN: Mapping[str, Any] = {"objective": "binary:logistic", "eval_metric": "auc"}
SALES: Mapping[str, Any] = {"objective": "reg:absoluteerror", "eval_metric": "mae"}


@dataclass(frozen=True)
class Predicted:
    """A head's predictions, of all rows of its tables."""

    validation: pl.DataFrame
    """(customer or article, predicted float64, and the target)."""
    test: pl.DataFrame
    trees: int


def predict_churn(context: StepContext, origins: Sequence[Origin], nodes: Nodes) -> Predicted:
    """Predict, for whoever bought in the week before each origin, how likely it is that they don't in the next.

    Args:
        origins: those that the trees learn from, before the validation origin.
    """

    def rows(origin: Origin) -> Rows:
        asked = tables.churn(context.store, origin, nodes, context.engine)
        columns = _described(context, origin, CUSTOMERS, asked.select("customer"))
        return Rows(asked.select("customer"), columns, asked["churn"].cast(pl.Float64).to_numpy())

    validation, test = rows(VALIDATION), rows(TEST)
    found, trees = fitted(context.engine, context.seed, [rows(origin) for origin in origins], validation, test, CHURN)
    known = (each.keys.with_columns(churn=each.target) for each in (validation, test))
    on, then = (table.with_columns(predicted=values) for table, values in zip(known, found, strict=True))
    return Predicted(on, then, trees)


def predict_sales(context: StepContext, origins: Sequence[Origin], nodes: Nodes) -> Predicted:
    """Predict for every article what is paid for it in the week after each origin, in the retailer's own unit.

    The trees learn by how much it is more or less than in the last week; what is not sold any more sells nothing.

    Args:
        origins: those that the trees learn from, before the validation origin.
    """
    engine, store, unit = context.engine, context.store, tables.price_unit(context.store)

    def rows(origin: Origin) -> Rows:
        history = store.as_of(origin.week.first_day)
        before = tables.revenue(history.last(7), unit).rename({"sales": "start"})
        alive = history.on_sale(ON_SALE).join(before, on="article", how="left").sort("article")
        asked = engine.collect(alive.with_columns(pl.col("start").fill_null(0.0)))
        sold = tables.sales(store, origin, nodes, engine)
        target = asked.join(sold, on="article", maintain_order="left")["sales"]
        columns = _described(context, origin, ARTICLES, asked.select("article"))
        start = asked["start"].to_numpy()
        return Rows(asked.select("article"), columns.with_columns(start=start), target.to_numpy(), start)

    validation, test = rows(VALIDATION), rows(TEST)
    found, trees = fitted(context.engine, context.seed, [rows(origin) for origin in origins], validation, test, SALES)

    def of_all(origin: Origin, asked: Rows, values: Floats) -> pl.DataFrame:
        known = asked.keys.with_columns(predicted=values.clip(0))
        sold = tables.sales(store, origin, nodes, engine)
        table = sold.join(known, on="article", how="left", maintain_order="left")
        return table.select("article", pl.col("predicted").fill_null(0.0), "sales")

    return Predicted(of_all(VALIDATION, validation, found[0]), of_all(TEST, test, found[1]), trees)


def _described(context: StepContext, origin: Origin, of: Sequence[str], asked: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of the families of the kinds `of` for `asked` (customer) or (article), in its order."""
    parts: dict[str, Feature] = {feature_step(name): part for name, part in context.features.items() if part.kind in of}
    if not parts:
        raise ConfigError(f"features: RelBench's tasks need one of {', '.join(of)}.")
    learning, week = context.learning, origin.week
    learned = learning.learn(week, parts)
    customers = asked if "customer" in asked.columns else pl.DataFrame(schema={"customer": pl.Int32})
    known = learning.learn_customers(week, parts, learned, learning.audience(week, customers))
    families = (
        columns_of(asked, learning.bind(part).compute(known[name], asked.lazy()), name, context.engine)
        for name, part in parts.items()
    )
    return pl.concat(families, how="horizontal")
