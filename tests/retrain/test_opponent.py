"""The current run's lists for the judged week, made without having seen it."""

from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError, RunError
from hmgpu.core.metrics import average_precision
from hmgpu.core.yaml_text import dump
from hmgpu.data.store import Store
from hmgpu.data.weeks import date_of
from hmgpu.pipeline.config import PLACES
from hmgpu.pipeline.evaluate import LISTS, METRICS
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.pipeline.served_tables import ARTICLES, BEST_SELLERS, RECOMMENDATIONS
from hmgpu.pipeline.workers import IN_PROCESS
from hmgpu.retrain.opponent import REFITTED, opponent
from hmgpu.runs.run import Run
from hmgpu.runs.seal import seal

CPU = Engine("cpu", "tests")


@pytest.fixture
def week(store: Store):
    return store.last_complete_week


@pytest.fixture
def new(store: Store, week):
    """A pipeline, as far as it is asked before anything is fitted again."""
    return SimpleNamespace(weeks=SimpleNamespace(validation=week), store=store, engine=CPU)


@pytest.fixture
def sold(store: Store, week) -> pl.DataFrame:
    return store.sold_in(week).collect().sort("customer", "article")


def current(folder: Path, store: Store, last_day: int, lists: pl.DataFrame, best: tuple[int, ...] = ()) -> Run:
    """A run on data up to `last_day` that recommended `lists` (customer, article), and `best` to everybody else."""
    customers, articles = store.customer_ids().collect(), store.article_ids().collect()
    named = lists.join(customers, on="customer").join(articles, on="article")
    listed = named.group_by("customer", "customer_id", maintain_order=True).agg(articles=pl.col("article_id"))
    ranked = pl.DataFrame({"article": list(best)}, schema={"article": pl.Int32}).with_row_index("rank", 1)

    def make(step: Path) -> None:
        listed.write_parquet(step / RECOMMENDATIONS)
        ranked.join(articles, on="article").select("rank", "article_id").write_parquet(step / BEST_SELLERS)
        articles.write_parquet(step / ARTICLES)

    run = Run(folder.resolve(), CPU)
    run.describe({}, {"last_day": str(date_of(last_day))})
    run.step("submit", {}, [], make)
    return run


def evaluated(run: Run, week, lists: pl.DataFrame) -> None:
    """Let `run` have been evaluated on `week` by `lists` (customer, article)."""

    def make(step: Path) -> None:
        rank = pl.int_range(1, pl.len() + 1).over("customer").cast(pl.Int32)
        lists.with_columns(rank=rank).write_parquet(step / LISTS)
        (step / METRICS).write_text("{}")

    run.show(METRICS, run.step(f"{week}/evaluate", {}, [], make).folder / METRICS)


def rows(lists: pl.DataFrame) -> list[tuple[int, int]]:
    return lists.sort("customer", "rank").select("customer", "article").rows()


def test_what_was_served_before_the_week_is_judged_as_customers_saw_it(store, week, new, sold, tmp_path):
    run = current(tmp_path, store, week.first_day - 1, sold.head(3))
    seal(run.folder)
    against = opponent(run.folder, new, sold.select("customer").unique())
    assert (against.how, rows(against.lists)) == ("served", sold.head(3).rows())


def test_customers_unknown_to_the_current_run_get_its_best_sellers(store, week, new, sold, tmp_path):
    article, buyers = sold["article"].mode().sort()[0], sold["customer"].n_unique()
    run = current(tmp_path, store, week.first_day - 1, sold.clear(), (article,))
    seal(run.folder)
    lists = opponent(run.folder, new, sold.select("customer").unique()).lists
    expected = sum(
        1 / min(12, len(theirs)) for (_,), theirs in sold.group_by("customer") if article in theirs["article"]
    )
    assert average_precision(lists, sold)["average_precision"].sum() == pytest.approx(expected)
    assert lists.height == buyers


@pytest.mark.parametrize("days", [0, 6, 9])
def test_a_run_that_has_seen_the_week_is_judged_by_its_own_evaluation_of_it(store, week, new, sold, tmp_path, days):
    worst = sold.with_columns(article=pl.col("article").reverse())
    run = current(tmp_path, store, week.first_day + days, sold, (1,))
    evaluated(run, week, worst)
    seal(run.folder)
    against = opponent(run.folder, new, sold.select("customer").unique())
    assert (against.how, rows(against.lists)) == ("evaluated", worst.rows())


def test_an_evaluation_of_as_many_other_customers_is_none_of_the_buyers(store, week, new, sold, tmp_path, monkeypatch):
    run = current(tmp_path, store, week.first_day, sold, (1,))
    buyers = sold.select("customer").unique().sort("customer")
    evaluated(run, week, sold.filter(pl.col("customer") != buyers["customer"][0]))
    seal(run.folder)
    monkeypatch.setattr("hmgpu.retrain.opponent._refitted", lambda *_: sold)
    assert opponent(run.folder, new, buyers[:-1]).how == "refitted"  # one has left the week, and one has come
    assert opponent(run.folder, new, buyers[2:]).how == "evaluated"


def test_settings_that_can_not_be_fitted_any_more_say_why(store, week, new, sold, tmp_path):
    run = current(tmp_path / "run", store, week.first_day, sold)
    (run.folder / "config.yaml").write_text("retrievers: {gone: {}}")
    seal(run.folder)
    places = dict.fromkeys(PLACES) | {"data": {"raw": "raw", "root": "data"}, "engine": "cpu", "retrain": {}}
    new.config = SimpleNamespace(**places | {"runs": tmp_path, "memory_gb": 1.0, "tracking": "none"})
    with pytest.raises(RunError, match=r"its settings can't be fitted any more: .*'gone'"):
        opponent(run.folder, new, sold.select("customer").unique())
    assert not (tmp_path / REFITTED).exists()


def test_a_run_that_is_fitted_again_with_its_validation_week_is_held_out_of_the_judged_one(
    store, week, new, sold, tmp_path, monkeypatch, config
):
    """What is judged trains on the week before the judged one, too, as `weeks.refit` asks, and never on that week."""
    refit = config.model_copy(update={"weeks": config.weeks.model_copy(update={"refit": True})})
    run = current(tmp_path / "run", store, week.first_day, sold)
    (run.folder / "config.yaml").write_text(dump(refit.settings()))
    seal(run.folder)
    opened = []

    class Opened(Pipeline):
        def judge(self, judged):
            opened.append((self.config.weeks, judged, self.weeks.validation))
            raise DataError("far enough")

    monkeypatch.setattr("hmgpu.retrain.opponent.Pipeline", Opened)
    new.config, new.run, new.workers = refit.model_copy(update={"runs": tmp_path}), None, IN_PROCESS
    with pytest.raises(RunError, match="far enough"):
        opponent(run.folder, new, sold.select("customer").unique())
    [(weeks, judged, validation)] = opened
    assert (weeks.refit, weeks.train, judged, validation) == (True, 2, week, week.back(1))


@pytest.mark.parametrize("harm", ["lists", "manifest"])
def test_what_was_changed_since_is_never_used(store, week, new, sold, tmp_path, harm):
    run = current(tmp_path, store, week.first_day - 1, sold)
    if harm == "manifest":
        run.describe({}, {})
    seal(run.folder)
    if harm == "lists":
        (run.folder / "steps" / "submit" / RECOMMENDATIONS).write_bytes(b"PAR1")
    with pytest.raises(RunError, match="last_day" if harm == "manifest" else "changed since"):
        opponent(run.folder, new, sold.select("customer").unique())
