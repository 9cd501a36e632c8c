"""Sums of large numbers: a shop whose prices are a million times as high is described as before, by every part."""

from typing import Any

import kit
import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import build, kinds
from hmgpu.parts.retriever import Retriever
from hmgpu.parts.retrievers.popular_by import PopularBy
from hmgpu.parts.retrievers.taste import Taste
from hmgpu.testing import make_history
from hmgpu.testing.histories import Purchase

CPU = Engine("cpu", "tests")
TIMES = 1_000_000
ARTICLES = {key: {"product": key // 2, "product_type": key % 3, "department": key % 2} for key in range(20)}
ALSO = {"age": 30, "colour": 1, "colour_master": 1, "perceived_colour": 1, "appearance": 1, "index_group_name": "Sport"}


def bought() -> list[Purchase]:
    """Thirty customers, of whom the first bought one article four hundred times."""
    others = [(1 + number * 13 % 400, number % 30, number * 7 % 20) for number in range(900)]
    return [*others, *((1 + number % 60, 0, 4) for number in range(400))]


def shop(times: int) -> History:
    """Prices from 1,000 to 2,000 units, or `times` as much."""
    rows = bought()
    prices = [times * (1000 + row * 37 % 1001) for row in range(len(rows))]
    people = {key: {"age": 20 + key} for key in range(30)}
    return make_history(rows, {key: {**ALSO, **it} for key, it in ARTICLES.items()} | {}, people, prices=prices)


SHOPS = {times: shop(times) for times in (1, TIMES)}
PAIRS = pl.LazyFrame({"customer": range(30)}).join(pl.LazyFrame({"article": range(20)}), how="cross")
FAMILIES: dict[str, Any] = {kind: build(Feature, kind, None) for kind in kinds(Feature) if kind != "encoded"}
FAMILIES["taste"] = Taste(drawn=None)
"""`encoded` has codes of bins, the other retrievers that describe candidates read no prices."""


def columns_of(part: Any, history: History) -> pl.DataFrame:
    part = kit.bound(part, history, CPU)
    asked = PAIRS.cast(pl.Int32).with_columns(popular_score=pl.lit(1.0)).sort("customer", "article")
    plan = part.compute(kit.learned(part, history, CPU), asked)
    keys = [key for key in ("customer", "article") if key in plan.collect_schema().names()]
    return CPU.collect(plan.sort(keys)).drop(keys).cast(pl.Float64)


@pytest.mark.parametrize("part", FAMILIES.values(), ids=FAMILIES.keys())
def test_a_million_times_the_prices_describe_alike(part: Feature) -> None:
    """Every column is what it was, or a million times that; a sum that overflows would be neither."""
    small, large = (columns_of(part, history) for history in SHOPS.values())
    for name in small.columns:
        before, after = small[name], large[name]
        assert before.is_null().equals(after.is_null()), name
        same, more = (((after - before * by).abs() <= 0.01 * (before * by).abs() + 1e-6).all() for by in (1, TIMES))
        assert same or more, f"{name}: {before.head(5).to_list()} became {after.head(5).to_list()}"


def test_levels_of_price_are_the_same_customers() -> None:
    found = [kit.scored(PopularBy(by="price_level", n=5), history, CPU, range(30)) for history in SHOPS.values()]
    assert found[0] == found[1]
    assert len(found[0]) == 30
    assert issubclass(PopularBy, Retriever)
