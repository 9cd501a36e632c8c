"""Few rows are encoded to the same bits as NVTabular encodes them."""

import dataclasses

import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.parts.models.encode.few_rows import FewRowEncoders
from hmgpu.parts.models.encode.workflow import Encoders

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*an NVTabular Dataset .* CPU mode"),
    pytest.mark.filterwarnings("ignore:Using the 'subgraph' approach"),
]
CPU = Engine("cpu", "tests")


@pytest.fixture(scope="module")
def later(store):
    """Customers and articles that the workflows were not fitted on are among it, and missing values."""
    history = store.as_of(store.last_complete_week.first_day)
    odd = pl.col("customer") % 3 == 0
    customers = history.customers.with_columns(
        pl.when(odd).then(None).otherwise(pl.col(name)).alias(name) for name in ("age", "club", "postal_code")
    )
    return dataclasses.replace(history, customers=customers)


@pytest.fixture(scope="module")
def both(store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoders") / "fitted"
    Encoders.fit(store.as_of(store.last_complete_week.back(8).first_day), 91, CPU, folder)
    return Encoders.load(folder, CPU), FewRowEncoders.load(folder, CPU)


def test_everybody_is_encoded_to_the_same_bits(both, later):
    usual, quick = both
    articles, everybody = usual.articles(later), later.customers.select("customer")
    expected = usual.customers(later, everybody, articles, 5)
    assert quick.customers(later, everybody, articles, 5).equals(expected)
    assert expected.height > 100
    assert quick.articles(later).equals(articles)  # ratios are left to NVTabular
    assert quick.schema("customer", "context") == usual.schema("customer", "context")


def test_a_customer_without_purchases(both, later):
    usual, quick = both
    articles, one = usual.articles(later), later.customers.select("customer").head(1)
    nothing = dataclasses.replace(later, transactions=later.transactions.clear()).of(one)
    assert quick.customers(nothing, one, articles, 5).equals(usual.customers(nothing, one, articles, 5))
