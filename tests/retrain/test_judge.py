"""The new run is judged against what is served."""

import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.data.store import Store
from hmgpu.retrain.judge import judge
from hmgpu.retrain.opponent import Opponent

CPU = Engine("cpu", "tests")


@pytest.fixture
def week(store: Store):
    return store.last_complete_week


@pytest.fixture
def bought(store: Store, week) -> pl.DataFrame:
    """(customer, article) of the week, of the first ten customers."""
    sold = store.sold_in(week).collect().sort("customer", "article")
    return sold.filter(pl.col("customer").is_in(sold["customer"].unique().sort().head(10).implode()))


def precisions(store: Store, week, ranker: float, baseline: float = 0.1, popular: float = 0.0) -> pl.DataFrame:
    """A new run that scores the same for everybody who bought."""
    buyers = store.sold_in(week).select("customer").unique().collect().sort("customer")
    scores = {"best_sellers": popular, "own_past": baseline, "ranker": ranker}
    return buyers.with_columns(pl.lit("active").alias("segment"), *(pl.lit(v).alias(k) for k, v in scores.items()))


def gave(*lists: pl.DataFrame) -> Opponent:
    """A current run that gave `lists` (customer, article), in their order."""
    rows = pl.concat(lists)
    return Opponent(rows.with_columns(rank=pl.int_range(1, pl.len() + 1).over("customer").cast(pl.UInt32)), "served")


def test_the_current_run_is_scored_by_its_lists(store, week, bought):
    buyers = store.sold_in(week).collect()["customer"].n_unique()
    some = bought["customer"].n_unique()
    # All that they bought at the head of the list: a precision of 1, for them alone.
    current = gave(bought.group_by("customer", maintain_order=True).head(12))
    verdict = judge(precisions(store, week, 0.5), current, week, store, 0.05, CPU)
    expected = some / buyers
    assert verdict.figures["current"] == pytest.approx(expected)
    assert verdict.figures["customers"] == buyers
    assert verdict.figures["current_lists"] == "served"
    assert verdict.figures["over_current"]["difference"] == pytest.approx(0.5 - expected)
    assert [verdict.figures[name] for name in ("new", "baseline")] == pytest.approx([0.5, 0.1])
    assert verdict.figures["week"] == str(week)


@pytest.mark.parametrize(
    ("new", "tolerance", "promote", "why"),
    [
        (0.50, 0.05, True, "the current run has 0.4"),
        (0.39, 0.05, True, "the current run has 0.4"),
        (0.37, 0.05, False, "more than 5.0% below the current run's (0.4"),
        (0.37, 0.20, True, "the current run has 0.4"),
        (0.10, 1.00, False, "not above own past + best sellers (0.10000)"),
    ],
)
def test_promoted_is_what_is_not_worse_than_the_tolerance_and_better_than_the_baseline(
    store, week, bought, monkeypatch, new, tolerance, promote, why
):
    monkeypatch.setattr(
        "hmgpu.retrain.judge.average_precision",
        lambda *_: precisions(store, week, 0.4).select("customer", average_precision="ranker"),
    )
    verdict = judge(precisions(store, week, new), gave(bought.head(1)), week, store, tolerance, CPU)
    assert verdict.figures["current"] == pytest.approx(0.4)
    assert verdict.promote == promote
    assert why in verdict.reason


def test_without_a_current_run_the_baseline_alone_is_to_be_beaten(store, week):
    assert judge(precisions(store, week, 0.11), None, week, store, 0.0, CPU).promote
    assert not judge(precisions(store, week, 0.09), None, week, store, 0.0, CPU).promote
    assert "current" not in judge(precisions(store, week, 0.11), None, week, store, 0.0, CPU).figures


def test_where_it_can_not_be_compared_the_reason_says_why(store, week):
    verdict = judge(precisions(store, week, 0.11), None, week, store, 0.0, CPU, without="not compared: it is gone")
    assert verdict.promote
    assert verdict.reason == "MAP@12 0.11000; not compared: it is gone, own past + best sellers 0.10000"
