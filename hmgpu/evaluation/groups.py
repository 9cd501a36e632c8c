"""Compute MAP@k by groups: customers by age and by purchases made, purchases by price and by department."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.metrics import map_at
from hmgpu.data.segments import ACTIVE_DAYS
from hmgpu.data.store import History
from hmgpu.evaluation.method_names import METHODS
from hmgpu.parts.models.by_attribute import AGE_BANDS

PURCHASES = {"0": 0, "1–4": 4, "5–19": 19, "20+": None}
"""Names of groups of customers, and the most units that a customer of each has bought before the week."""
FIFTHS = ("cheapest fifth", "second fifth", "middle fifth", "fourth fifth", "dearest fifth")
UNKNOWN, OTHERS = "unknown", "others"
DEPARTMENTS = 12
"""Departments that have a group of their own: those of which most was bought in the week."""


def groups_of(
    lists: Mapping[str, pl.DataFrame],
    precisions: pl.DataFrame,
    labels: pl.DataFrame,
    history: History,
    engine: Engine,
    k: int,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return by `age`, `purchases`, `price` and `department`, as far as the data has them, each group's figures.

    Of groups of customers `customers` and `map_at_<k>`; of groups of purchases, where only these count and lists are
    the same, `bought`, `articles`, `customers` and `map_at_<k>`. Groups without anybody or anything are left out.

    Args:
        lists: by method, (customer, article, rank).
        precisions: (customer, for every method the average precision).
        labels: (customer, article) bought in the week.
        history: what was known before it.
    """
    members = precisions.lazy().select("customer")
    asked = history.of(members)
    units = asked.transactions.group_by("customer").agg(units=pl.len().cast(pl.Int64))
    made = engine.collect(members.join(units, on="customer", how="left").with_columns(pl.col("units").fill_null(0)))
    bound = {name: most for name, most in PURCHASES.items() if most is not None}
    found = {"purchases": _of_customers(precisions, made.select("customer", value="units"), bound, [*PURCHASES][-1], k)}
    if history.has("age"):
        ages = engine.collect(asked.customers.select("customer", value="age"))
        lows = [None, *(last + 1 for last in AGE_BANDS)]
        bands = {_band(low, last): last for low, last in zip(lows, AGE_BANDS, strict=False)}
        found["age"] = _of_customers(precisions, ages, bands, f"{AGE_BANDS[-1] + 1} and older", k)
    if history.has("price"):
        names = _price_fifths(engine.collect(_prices(history)))
        found["price"] = _of_purchases(lists, labels, names, [*FIFTHS, UNKNOWN], k)
    if history.has("department"):
        named = "department_name" if history.has("department_name") else "department"
        names = engine.collect(history.articles.select("article", group=pl.col(named).cast(pl.String)))
        bought = labels.join(names, on="article").drop_nulls("group")["group"].value_counts()
        most = bought.sort(["count", "group"], descending=[True, False])["group"].head(DEPARTMENTS).to_list()
        kept = names.with_columns(group=pl.when(pl.col("group").is_in(most)).then("group").otherwise(pl.lit(OTHERS)))
        found["department"] = _of_purchases(lists, labels, kept, [*most, OTHERS, UNKNOWN], k)
    return found


def _band(low: int | None, last: int) -> str:
    return f"to {last}" if low is None else f"{low}–{last}"


def _prices(history: History) -> pl.LazyFrame:
    """Return (article, units, price): what was sold in the last four weeks, and its mean price, rounded down."""
    paid = pl.col("price").cast(pl.Int64)
    sold = history.last(ACTIVE_DAYS).drop_nulls("price").group_by("article")
    return sold.agg(units=pl.len().cast(pl.Int64), price=paid.sum() // pl.len())


def _price_fifths(prices: pl.DataFrame) -> pl.DataFrame:
    """Return (article, group): the fifth of all units sold, the cheapest first, that an article's middle unit is in."""
    ordered = prices.sort("price", "article")
    middle = 2 * pl.col("units").cum_sum() - pl.col("units")
    fifth = (middle * len(FIFTHS) // (2 * pl.col("units").sum())).cast(pl.Int64)
    placed = ordered.select("article", fifth=fifth)
    return placed.select("article", group=pl.Series(FIFTHS).gather(placed["fifth"]))


def _of_customers(
    precisions: pl.DataFrame, values: pl.DataFrame, bounds: Mapping[str, int], above: str, k: int
) -> dict[str, dict[str, Any]]:
    """Return the figures by bands of `values` (customer, value): each up to its bound, and those `above` all."""
    group = pl.lit(above)
    for name, most in reversed([*bounds.items()]):
        group = pl.when(pl.col("value") <= most).then(pl.lit(name)).otherwise(group)
    named = values.select("customer", group=pl.when(pl.col("value").is_null()).then(pl.lit(UNKNOWN)).otherwise(group))
    # In the order of customers, so that means are the same to the last bit.
    parts = precisions.join(named, on="customer", maintain_order="left").partition_by(
        "group", as_dict=True, maintain_order=True
    )
    return {
        name: {"customers": parts[name,].height, f"map_at_{k}": _means(parts[name,])}
        for name in (*bounds, above, UNKNOWN)
        if (name,) in parts
    }


def _of_purchases(
    lists: Mapping[str, pl.DataFrame], labels: pl.DataFrame, groups: pl.DataFrame, names: Sequence[str], k: int
) -> dict[str, dict[str, Any]]:
    """Return the figures where only purchases of articles of a group count; `groups` is (article, group)."""
    marked = labels.join(groups, on="article", how="left").with_columns(pl.col("group").fill_null(UNKNOWN))
    parts = marked.partition_by("group", as_dict=True)
    found = {}
    for name in names:
        if (name,) in parts:
            bought = parts[name,].select("customer", "article")
            buyers = bought.select("customer").unique()
            theirs = {method: lists[method].join(buyers, on="customer", how="semi") for method in METHODS}
            found[name] = {
                "bought": bought.height,
                "articles": bought["article"].n_unique(),
                "customers": buyers.height,
                f"map_at_{k}": {method: map_at(table, bought, k) for method, table in theirs.items()},
            }
    return found


def _means(precisions: pl.DataFrame) -> dict[str, float]:
    return precisions.select(METHODS).mean().row(0, named=True)
