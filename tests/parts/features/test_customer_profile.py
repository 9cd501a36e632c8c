"""The customer table's columns as features."""

from kit import described

from hmgpu.parts.features.customer_profile import CustomerProfile


def test_the_customers_own_columns_without_the_postal_code(make_history, engine):
    customers = {1: {"age": 33, "club": 2, "fn": 1, "postal_code": 77}, 2: {"age": None, "news": 0}}
    found = described(CustomerProfile(), make_history([], customers=customers), engine, [(1, 5), (2, 5), (2, 6)])
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
