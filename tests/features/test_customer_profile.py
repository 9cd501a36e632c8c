"""What the customer table says."""

import polars as pl

from hmgpu.features.customer_profile import CustomerProfile
from hmgpu.pipeline import join_columns


def described(part, history, engine, pairs: list[tuple[int, int]]) -> dict[tuple[int, int], dict]:
    """The family's columns of each (customer, article)."""
    asked = pl.LazyFrame(pairs, schema={"customer": pl.Int32, "article": pl.Int32}, orient="row")
    learned = {name: engine.collect(plan).lazy() for name, plan in part.learn(history).items()}
    rows = engine.collect(join_columns(asked, part.compute(learned, asked), "it")).to_dicts()
    return {(row.pop("customer"), row.pop("article")): row for row in rows}


def test_the_customers_own_columns_without_the_postal_code(make_history, engine):
    people = {1: {"age": 33, "club": 2, "fn": 1, "postal_code": 77}, 2: {"age": None, "news": 0}}
    found = described(CustomerProfile(), make_history([], customers=people), engine, [(1, 5), (2, 5), (2, 6)])
    assert found == {
        (1, 5): {"fn": 1, "active": 0, "club": 2, "news": None, "age": 33},
        (2, 5): {"fn": 0, "active": 0, "club": None, "news": 0, "age": None},
        (2, 6): {"fn": 0, "active": 0, "club": None, "news": 0, "age": None},
    }


def test_only_what_the_retailer_has(make_history, engine):
    history = make_history([], customers={1: {"age": 33}}, present=frozenset({"age", "postal_code"}))
    assert described(CustomerProfile(), history, engine, [(1, 5)]) == {(1, 5): {"age": 33}}


def test_a_retailer_without_a_customer_table_gets_no_column(make_history, engine):
    history = make_history([], customers={1: {}}, present=frozenset())
    assert described(CustomerProfile(), history, engine, [(1, 5)]) == {(1, 5): {}}
