"""The new run is judged against what is served."""

from pathlib import Path

import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.errors import RunError
from hmgpu.data.store import Store
from hmgpu.pipeline.served_tables import BEST_SELLERS, RECOMMENDATIONS
from hmgpu.retrain.judge import judge
from hmgpu.runs.run import Run
from hmgpu.runs.seal import seal

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
    scores = {"popular": popular, "repurchase_popular": baseline, "ranker": ranker}
    return buyers.with_columns(pl.lit("active").alias("segment"), *(pl.lit(v).alias(k) for k, v in scores.items()))


def served(folder: Path, store: Store, lists: pl.DataFrame, best: tuple[int, ...] = ()) -> Path:
    """A finished run that recommended `lists` (customer, article), in their order, and `best` to everybody else."""
    customers, articles = store.customer_ids().collect(), store.article_ids().collect()
    named = lists.join(customers, on="customer").join(articles, on="article")
    listed = named.group_by("customer", "customer_id", maintain_order=True).agg(articles=pl.col("article_id"))
    sold = pl.DataFrame({"article": list(best)}, schema={"article": pl.Int32}).with_row_index("rank", 1)

    def make(step: Path) -> None:
        listed.write_parquet(step / RECOMMENDATIONS)
        sold.join(articles, on="article").select("rank", "article_id").write_parquet(step / BEST_SELLERS)

    run = Run(folder, CPU)
    run.describe({}, {})
    run.step("submit", {}, [], make)
    seal(folder)
    return folder


def test_the_current_run_is_scored_by_the_lists_that_it_gave(store, week, bought, tmp_path):
    buyers = store.sold_in(week).collect()["customer"].n_unique()
    some = bought["customer"].n_unique()
    # All that they bought at the head of the list: a precision of 1, for them alone.
    current = served(tmp_path / "run", store, bought.group_by("customer", maintain_order=True).head(12))
    verdict = judge(precisions(store, week, 0.5), current, week, store, 0.05, CPU)
    expected = some / buyers
    assert verdict.figures["current"] == pytest.approx(expected)
    assert verdict.figures["customers"] == buyers
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
        (0.10, 1.00, False, "not above repurchase + popularity (0.10000)"),
    ],
)
def test_promoted_is_what_is_not_worse_than_the_tolerance_and_better_than_the_baseline(
    store, week, bought, tmp_path, monkeypatch, new, tolerance, promote, why
):
    monkeypatch.setattr(
        "hmgpu.retrain.judge.average_precision",
        lambda *_: precisions(store, week, 0.4).select("customer", average_precision="ranker"),
    )
    nobody = served(tmp_path / "run", store, bought.head(1))
    verdict = judge(precisions(store, week, new), nobody, week, store, tolerance, CPU)
    assert verdict.figures["current"] == pytest.approx(0.4)
    assert verdict.promote == promote
    assert why in verdict.reason


def test_without_a_current_run_the_baseline_alone_is_to_be_beaten(store, week):
    assert judge(precisions(store, week, 0.11), None, week, store, 0.0, CPU).promote
    assert not judge(precisions(store, week, 0.09), None, week, store, 0.0, CPU).promote
    assert "current" not in judge(precisions(store, week, 0.11), None, week, store, 0.0, CPU).figures


def test_customers_unknown_to_the_current_run_get_its_best_sellers(store, week, bought, tmp_path):
    sold = store.sold_in(week).collect()
    article, buyers = sold["article"].mode().sort()[0], sold["customer"].n_unique()
    nobody = bought.clear()
    verdict = judge(precisions(store, week, 0.5), served(tmp_path / "a", store, nobody), week, store, 0.05, CPU)
    assert verdict.figures["current"] == 0.0
    known = served(tmp_path / "b", store, nobody, (article,))
    verdict = judge(precisions(store, week, 0.5), known, week, store, 0.05, CPU)
    expected = sum(
        1 / min(12, len(theirs)) for (_,), theirs in sold.group_by("customer") if article in theirs["article"]
    )
    assert verdict.figures["current"] == pytest.approx(expected / buyers)


def test_lists_that_were_changed_since_are_never_used(store, week, bought, tmp_path):
    current = served(tmp_path / "run", store, bought)
    file = current / "steps" / "submit" / RECOMMENDATIONS
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(RunError, match=RECOMMENDATIONS.replace(".", r"\.")):
        judge(precisions(store, week, 0.5), current, week, store, 0.05, CPU)
