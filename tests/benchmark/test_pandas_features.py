"""pandas computes the families' columns from any purchases as the plans do."""

import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hmgpu.benchmark.agreement import DisagreementError
from hmgpu.benchmark.feature_agreement import FeatureAgreement
from hmgpu.benchmark.learned import learned
from hmgpu.benchmark.rivals.pandas_features import WRITTEN, columns, needs
from hmgpu.benchmark.rivals.pandas_notebook import NotebookTables, merged
from hmgpu.benchmark.rivals.pandas_tables import Known, Needs, read, read_all
from hmgpu.core.engine import Engine
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.features.affinity import Affinity
from hmgpu.parts.features.article_price import ArticlePrice
from hmgpu.parts.features.article_sales import ArticleSales
from hmgpu.parts.features.buyer_age import BuyerAge
from hmgpu.parts.features.catalogue import Catalogue
from hmgpu.parts.features.customer_habits import CustomerHabits
from hmgpu.parts.features.customer_profile import CustomerProfile
from hmgpu.parts.features.price_fit import PriceFit
from hmgpu.parts.features.retriever_scores import RetrieverScores
from hmgpu.pipeline.describe import with_columns

CPU = Engine("cpu", "tests")
FAMILIES = (
    ArticleSales(windows=(1, 7, 20)),
    ArticlePrice(recent=7, days=30),
    PriceFit(days=40),
    CustomerHabits(windows=(3, 28)),
    BuyerAge(days=30),
    Affinity(windows=(2, 9)),
    Affinity(by="department"),
    Catalogue(),
    CustomerProfile(),
    RetrieverScores(),
)
PURCHASE = st.tuples(st.integers(1, 60), st.integers(0, 3), st.integers(0, 4), st.integers(0, 3), st.integers(0, 1))
MISSING = st.none()


@st.composite
def histories(draw):
    """Purchases (days ago, customer, article, price, channel) and some attributes, some of them missing."""
    bought = draw(st.lists(PURCHASE, min_size=1, max_size=25))
    articles = {
        n: {"department": draw(MISSING | st.integers(0, 1)), "colour": draw(MISSING | st.integers(0, 9))}
        for n in range(5)
    }
    customers = {
        n: {"age": draw(MISSING | st.integers(16, 90)), "club": draw(MISSING | st.integers(0, 2))} for n in range(4)
    }
    return (
        bought,
        {n: articles[n] for _, _, n, _, _ in bought},
        customers,
        draw(st.lists(MISSING | st.integers(-1, 3), min_size=20, max_size=20)),
    )


@pytest.mark.parametrize("part", FAMILIES, ids=lambda part: f"{part.kind}-{getattr(part, 'by', '')}")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(generated=histories())
def test_pandas_and_plans_agree(part, generated, make_history):
    _compare(part, generated, make_history)


def _compare(part, generated, make_history):
    bought, articles, customers, scores = generated
    sold, prices, channels = [row[:3] for row in bought], [row[3] for row in bought], [row[4] for row in bought]
    history = make_history(sold, articles, customers, prices, channels)
    asked = sorted({customer for _, customer, _ in sold})[:3]  # at least one has bought, and one may not be served
    keys = [(customer, article) for customer in (*asked, 4) for article in sorted(articles)]
    pairs = pl.DataFrame(keys, schema=dict.fromkeys(KEYS, pl.Int32), orient="row").with_columns(
        it_score=pl.Series(scores[: len(keys)], dtype=pl.Float32)
    )
    audience = history.of(pairs.lazy().select("customer").unique())
    known = learned(part, history, audience, CPU)
    ours = with_columns(pairs.select(KEYS), {"it": part.compute(known, pairs.lazy())}, CPU)
    tables = (history.transactions, history.articles, history.customers)
    frame = pairs.to_pandas()
    read = Known(history.cutoff, frame["customer"].unique(), *(table.collect().to_pandas() for table in tables))
    theirs = pd.concat([frame[list(KEYS)], columns(part, read, frame)], axis=1)
    sales = read.sales.assign(age=history.cutoff - read.sales["day"])
    common = merged(part, NotebookTables(history.cutoff, sales, read.articles, read.customers), frame)
    FeatureAgreement().check("it", {"plans": ours, "tuned": theirs, "pandas": common.drop(columns="it_score")})


def test_pandas_and_plans_agree_on_purchases_of_long_ago(make_history):
    """Each weighs a little more than halving would leave it, so that of two days the later one weighs more."""
    old = [(700 + day, 0, 0, 1, 0) for day in range(60)]
    _compare(Affinity(), (old, {0: {"department": 0}}, {0: {"age": 30}}, [1] * 20), make_history)


def test_every_family_that_learns_by_plans_alone_is_among_those_compared():
    assert {type(part) for part in FAMILIES} == {*WRITTEN}


def test_only_what_is_needed_is_read(store):
    cutoff = store.last_complete_week.first_day
    known = read(store, cutoff, [], [needs(PriceFit(days=28), store.present)])
    assert sorted(known.sales) == ["article", "customer", "day", "price"]
    assert known.sales["day"].between(cutoff - 28, cutoff - 1).all()
    assert len(known.sales) == store.as_of(cutoff).last(28).collect().height
    assert known.articles.empty
    assert known.customers.empty


def test_the_common_code_reads_everything_but_the_future(store):
    cutoff = store.last_complete_week.first_day
    known, history = read_all(store, cutoff), store.as_of(cutoff)
    for table, rows in (
        (known.sales, history.transactions),
        (known.articles, history.articles),
        (known.customers, history.customers),
    ):
        assert {*rows.collect_schema()} <= {*table}
        assert len(table) == rows.collect().height


def test_needs_together_reach_as_far_back_as_each():
    few, all_days = Needs({"day"}, 7), Needs({"price"}, None, {"colour"})
    assert few | Needs({"day"}, 9) == Needs(frozenset({"day"}), 9)
    assert few | all_days == Needs(frozenset({"day", "price"}), None, frozenset({"colour"}))


def test_a_whole_number_that_pandas_turns_into_a_fraction_is_refused():
    keys = {"customer": [1, 2], "article": [3, 3]}
    ours = pl.DataFrame({**keys, "units": [2, None]}, schema=dict.fromkeys([*keys, "units"], pl.Int32))
    same, other = (
        pd.DataFrame({**keys, "units": [value, None]}).astype({"customer": "int32", "article": "int32"})
        for value in (2, 2.5)
    )
    FeatureAgreement().check("it", {"plans": ours, "pandas": same})
    with pytest.raises(
        DisagreementError, match=r"it: plans and pandas: column 'units' differs at customer 1, article 3"
    ):
        FeatureAgreement().check("it", {"plans": ours, "pandas": other})
