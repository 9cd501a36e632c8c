"""MAP by groups of customers and of purchases, worked by hand."""

from typing import Any

import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.metrics import average_precision
from hmgpu.evaluation.groups import groups_of
from hmgpu.evaluation.method_names import METHODS

CPU = Engine("cpu", "tests")
PAIR = {"customer": pl.Int32, "article": pl.Int32}


@pytest.fixture
def groups(make_history: Any) -> dict[str, Any]:
    """Customers 1, 2 and 3 bought 1, 5 and nothing before; lists are articles 10 and 11 for everybody."""
    bought = [(1, 1, 10), *[(2, 2, 11)] * 5, (40, 9, 12)]
    history = make_history(
        bought,
        articles={10: {"department": 1}, 11: {"department": 2}, 12: {"department": 2}},
        customers={1: {"age": 19}, 2: {"age": 75}, 3: {}},
        prices=[500, *[1000] * 5, 100],
        present=frozenset({"age", "price", "department"}),
    )
    labels = pl.DataFrame([(1, 10), (2, 12), (3, 11)], schema=PAIR, orient="row")
    rows = [(customer, article, place) for customer in (1, 2, 3) for place, article in ((1, 10), (2, 11))]
    listed = pl.DataFrame(rows, schema=PAIR | {"rank": pl.Int32}, orient="row")
    lists = dict.fromkeys(METHODS, listed)
    precise = average_precision(listed, labels)
    precisions = precise.select("customer", *(pl.col("average_precision").alias(method) for method in METHODS))
    return groups_of(lists, precisions, labels, history, CPU, 12)


def scores(groups: dict[str, Any]) -> dict[str, tuple[int, float]]:
    return {name: (each["customers"], each["map_at_12"]["ranker"]) for name, each in groups.items()}


def test_customers_by_purchases_and_age(groups: dict[str, Any]) -> None:
    # 1 finds 10 first, 2 nothing, 3 finds 11 second.
    assert scores(groups["purchases"]) == {"0": (1, 0.5), "1–4": (1, 1), "5–19": (1, 0)}
    assert scores(groups["age"]) == {"to 19": (1, 1), "70 and older": (1, 0), "unknown": (1, 0.5)}


def test_purchases_by_price_and_department(groups: dict[str, Any]) -> None:
    # Of six units sold lately the cheapest is of 10, the others of 11; nobody knows what 12 costs today.
    assert scores(groups["price"]) == {"cheapest fifth": (1, 1), "middle fifth": (1, 0.5), "unknown": (1, 0)}
    assert scores(groups["department"]) == {"2": (2, 0.25), "1": (1, 1)}
    assert {each["bought"] for each in groups["price"].values()} == {1}
