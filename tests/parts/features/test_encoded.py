"""Category codes of candidates."""

import kit
import polars as pl
import pytest
from kit import described, learned

from hmgpu.core.engine import Engine
from hmgpu.data.store import History, Store
from hmgpu.parts.examples import CODE
from hmgpu.parts.features.encoded import Encoded
from hmgpu.parts.models.encode.workflow import Encoders

CPU = Engine("cpu", "tests")


@pytest.fixture(scope="module")
def history(store: Store) -> History:
    return store.as_of(store.last_complete_week.first_day)


@pytest.fixture(scope="module")
def part(history: History) -> Encoded:
    return kit.bound(Encoded(), history, CPU)


@pytest.fixture(scope="module")
def encoders(part: Encoded) -> Encoders:
    return part.context.encoders()


def some(history: History) -> list[tuple[int, int]]:
    bought = CPU.collect(history.transactions.select("customer", "article").unique().sort("customer", "article"))
    return bought.gather_every(400).rows()


def test_codes_are_those_of_the_workflows(part, history, encoders):
    pairs = some(history)
    found = described(part, history, CPU, pairs)
    articles = {row["key"]: row for row in encoders.articles(history).to_dicts()}
    customers = pl.LazyFrame({"customer": sorted({c for c, _ in pairs})}, schema={"customer": pl.Int32})
    people = {row["key"]: row for row in encoders.profiles(history, customers).to_dicts()}
    for customer, article in pairs:
        codes = found[customer, article]
        assert codes["article_department_code"] == articles[article]["department"]
        assert codes["article_article_code"] == articles[article]["article"]
        assert codes["customer_customer_code"] == people[customer]["customer"]
        assert codes["customer_club_code"] == people[customer]["club"]
        assert codes["context_channel_code"] == people[customer]["channel"]
    assert len({row["article_department_code"] for row in found.values()}) > 3  # otherwise the test would check little


def test_all_codes_and_nothing_else(part, history, encoders):
    names = next(iter(described(part, history, CPU, some(history)).values()))
    assert all(name.endswith(CODE) for name in names)
    categories = [c.name for c in encoders.schema("article", "context") if c.int_domain is not None]
    assert {name.removesuffix(CODE).partition("_")[2] for name in names} >= set(categories)
    assert not any(name.startswith(("customer_age", "article_price", "customer_recent")) for name in names)


def test_unknown_customers_and_articles_get_padding(part, history):
    ((customer, article),) = some(history)[:1]
    found = described(part, history, CPU, [(customer, article), (10**8, article), (customer, 10**8)])
    assert all(code == 0 for name, code in found[10**8, article].items() if not name.startswith("article_"))
    assert all(code == 0 for name, code in found[customer, 10**8].items() if name.startswith("article_"))
    assert all(code > 0 for code in found[customer, article].values())


def test_columns_the_retailer_lacks_are_left_out(make_history):
    bare = make_history([(1, 0, 0), (2, 1, 1)], present=frozenset({"product"}))
    ((_, codes),) = described(Encoded(), bare, CPU, [(0, 1)]).items()
    assert sorted(codes) == [
        "article_article_code",
        "article_product_code",
        "context_week_of_year_code",
        "customer_customer_code",
    ]


def test_codes_are_int32_without_nulls(part, history):
    for plan in learned(part, history, CPU).values():
        table = CPU.collect(plan)
        assert set(table.dtypes) == {pl.Int32}
        assert sum(table.null_count().row(0)) == 0


def test_plans_run_in_cudf(part, history, untranslated):
    pairs = pl.LazyFrame(some(history), schema={"customer": pl.Int32, "article": pl.Int32}, orient="row")
    assert untranslated(part.compute(learned(part, history, CPU), pairs)) == []
