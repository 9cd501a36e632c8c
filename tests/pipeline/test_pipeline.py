"""The whole pipeline on a small data set: its output, that cuDF could run every plan, and kills at any moment."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from kit import demo_config, small_settings, with_its_runs

from hmgpu.core.engine import Engine
from hmgpu.core.errors import BusyError, ConfigError, DataError
from hmgpu.data.ingest import ingest
from hmgpu.data.store import Store
from hmgpu.data.tables import ARTICLES
from hmgpu.parts.candidates import WORTH_ONE
from hmgpu.parts.rankers.blend import Blend
from hmgpu.parts.rankers.cascade import Cascade
from hmgpu.parts.rankers.order import Order
from hmgpu.parts.rankers.stack import Stack
from hmgpu.parts.rankers.xgboost import XGBoost
from hmgpu.pipeline.config import Config, load_config
from hmgpu.pipeline.learn import TABLE
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.pipeline.quotas import Quotas

CPU = Engine("cpu", "tests")


def finish(config: Config, engine: Engine = CPU) -> Pipeline:
    pipeline = open_pipeline(config, engine)
    with pipeline.working():
        pipeline.evaluate()
        pipeline.submit()
    return pipeline


@pytest.fixture(scope="module")
def ended(raw: Path, store: Store, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The config of a run that was finished."""
    folder = tmp_path_factory.mktemp("ended")
    config = load_config(demo_config(folder), small_settings(raw, store.root, folder / "runs"))
    finish(config)
    return config


@pytest.fixture
def again(ended: Config, tmp_path: Path) -> Config:
    """The same in a folder of the test's own."""
    return with_its_runs(ended, tmp_path)


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Watching(Engine):
    """A CPU engine that also asks of each plan whether cuDF could run it."""

    untranslated: Callable[[pl.LazyFrame], list[str]] = lambda plan: []

    def collect(self, plan: pl.LazyFrame, fits: bool = False) -> pl.DataFrame:
        assert self.untranslated(plan) == []
        return super().collect(plan, fits)


def test_customers_whose_candidates_are_worth_too_little_get_best_sellers(config: Config) -> None:
    """A threshold leaves some with no candidate: their twelve articles are those of whoever is unknown."""
    quotas = Quotas(keep=20, customers=None)
    all_kept = open_pipeline(config.model_copy(update={"quotas": quotas, "ranker": Order()}), CPU)
    assert all_kept.quotas is not None
    worth = CPU.collect(all_kept.quotas.rates.group_by("segment").agg(pl.col("worth").max()))["worth"].sort()
    strict = quotas.model_copy(update={"least": worth[-1] / WORTH_ONE})  # what only one segment's best reaches
    pipeline = open_pipeline(config.model_copy(update={"quotas": strict, "ranker": Order()}), CPU)
    some, everything = (pl.concat(each.validation[0].tables()) for each in (pipeline, all_kept))
    assert 0 < some["customer"].n_unique() < everything["customer"].n_unique()
    assert some["worth"].min() == worth[-1]
    lists = pl.read_csv(pipeline.submit(), glob=False)
    assert (lists["prediction"].str.split(" ").list.n_unique() == 12).all()
    assert lists.height == pipeline.store.manifest.customers


def test_a_ranker_above_others_gets_the_last_week_as_it_would_be_served(config: Config) -> None:
    """Every candidate of all who bought in it, in steps of its own, in whatever ranker the stack is."""
    stack = Blend(rankers={"deep": Cascade(then=Stack(rankers={"chain": Order()}, stacker=Order())), "chain": Order()})
    pipeline = open_pipeline(config.model_copy(update={"ranker": stack}), CPU)
    served = pl.concat(pipeline.examples(pipeline.weeks.training[-1], training=False)[0].tables())
    training, steps = pipeline.training
    assert pl.concat(training.last_lists().tables()).equals(served)
    assert {step.folder / TABLE for step in steps} == {*training.files, *training.lists[-1]}
    assert open_pipeline(config, CPU).training[0].lists == ()


def test_every_plan_of_a_run_translates_to_cudf(with_models: Config, untranslated: Callable) -> None:
    seen = []

    def check(plan: pl.LazyFrame) -> list[str]:
        seen.append(plan)
        return untranslated(plan)

    finish(with_models, Watching("cpu", "tests", untranslated=check))
    assert len(seen) > 50


def test_a_run_gives_every_customer_twelve_articles_and_says_how_good_they_are(ended: Config, store: Store) -> None:
    pipeline = open_pipeline(ended, CPU)
    submission = pl.read_csv(pipeline.run.folder / "submission.csv", infer_schema=False, glob=False)
    assert submission.columns == ["customer_id", "prediction"]
    everybody = CPU.collect(store.customer_ids())["customer_id"]
    assert sorted(submission["customer_id"]) == sorted(everybody)
    catalogue = set(CPU.collect(store.article_ids())["article_id"])
    for prediction in submission["prediction"]:
        articles = prediction.split(" ")
        assert len(articles) == len(set(articles)) == 12
        assert set(articles) <= catalogue
    metrics = json.loads((pipeline.run.folder / "metrics.json").read_text())
    assert set(metrics["map_at_12"]) == {"best_sellers", "own_past", "order", "ranker"}
    assert metrics["map_at_12"]["ranker"] > metrics["map_at_12"]["best_sellers"]
    assert set(metrics["retrievers"]) == {*ended.retrievers, "merged"}
    for figures in metrics["retrievers"].values():
        assert {"recall_at_12", "recall_at_100", "positive_rate", "candidates"} <= set(figures)
    buyers = sum(segment["customers"] for segment in metrics["segments"].values())
    assert (
        buyers == metrics["customers"] == CPU.collect(store.sold_in(pipeline.weeks.validation))["customer"].n_unique()
    )
    for method, value in metrics["map_at_12"].items():
        parts = [(s["customers"], s["map_at_12"][method]) for s in metrics["segments"].values()]
        assert value == pytest.approx(sum(n * mean for n, mean in parts) / buyers)
    for name in ("config.yaml", "manifest.json", "model/model.ubj", "model/features.json"):
        assert (pipeline.run.folder / name).is_file()


def test_a_finished_run_is_not_done_again(again: Config) -> None:
    before = {file: file.stat().st_mtime_ns for file in again.runs.rglob("*.parquet")}
    finish(again)
    after = {file: file.stat().st_mtime_ns for file in again.runs.rglob("*.parquet")}
    assert before
    assert before == after


def test_other_settings_are_another_run(config: Config) -> None:
    other = config.model_copy(update={"seed": 7})
    assert open_pipeline(config, CPU).run.folder != open_pipeline(other, CPU).run.folder
    roomier = config.model_copy(update={"memory_gb": 64.0})
    assert open_pipeline(config, CPU).run.folder == open_pipeline(roomier, CPU).run.folder


def test_after_a_change_only_what_it_changes_is_made_and_to_the_same_bytes(again: Config) -> None:
    """A manifest says how many seconds its step took: one that is the same to the byte was copied."""
    first = open_pipeline(again, CPU)
    changed = again.model_copy(update={"ranker": XGBoost(rounds=7, depth=3)})
    second, alone = finish(changed), finish(changed.model_copy(update={"runs": again.runs / "alone"}))
    assert second.run.folder != first.run.folder
    assert second.run.folder.name == alone.run.folder.name
    manifests = {
        path.parent.relative_to(second.run.folder / "steps").as_posix(): path.read_bytes()
        for path in (second.run.folder / "steps").rglob("manifest.json")
    }
    written = {
        step
        for step, manifest in manifests.items()
        if not (there := first.run.folder / "steps" / step / "manifest.json").is_file()
        or there.read_bytes() != manifest
    }
    assert {f"{second.weeks.validation}/examples/000", f"{second.weeks.validation}/learn/fallback"} <= set(manifests)
    # What the ranker has to do with, and nothing else.
    assert {step.partition("/")[2].partition("/")[0] or step for step in written} == {
        "fit",
        "evaluate",
        "report",
        "recommend",
        "submit",
    }
    for name in ("submission.csv", "metrics.json", "model/model.ubj"):
        assert (second.run.folder / name).read_bytes() == (alone.run.folder / name).read_bytes()


def test_two_processes_never_work_on_one_run(config: Config) -> None:
    pipeline = open_pipeline(config, CPU)
    with pipeline.run.locked(), pytest.raises(BusyError, match="Another process works on"), pipeline.run.locked():
        pass


def test_too_little_history_is_one_sentence(config: Config) -> None:
    weeks = config.weeks.model_copy(update={"train": 200})
    with pytest.raises(DataError, match=r"weeks\.train is 200, but at most 103 weeks can be taken before"):
        finish(config.model_copy(update={"weeks": weeks}))


def test_a_week_without_sales_teaches_nothing_and_stops_nothing(raw: Path, tmp_path: Path) -> None:
    shutil.copytree(raw, tmp_path / "raw")
    file = tmp_path / "raw" / "transactions_train.csv"
    rows = pl.read_csv(file, infer_schema=False, glob=False)
    closed = pl.col("t_dat").is_between(pl.lit("2020-09-02"), pl.lit("2020-09-08"))
    rows.filter(~closed).write_csv(file)
    config = load_config(demo_config(tmp_path), small_settings(tmp_path / "raw", tmp_path / "data", tmp_path / "runs"))
    ingest(config.data)
    pipeline = finish(config)
    assert "2020-09-02" in map(str, pipeline.weeks.training)
    lists = pl.read_csv(pipeline.run.folder / "submission.csv", infer_schema=False, glob=False)
    assert (lists["prediction"].str.split(" ").list.n_unique() == 12).all()


def test_a_retailer_with_three_columns_gets_recommendations(raw: Path, tmp_path: Path) -> None:
    """No prices, channels, attributes or customer table: the parts that need them leave themselves out."""
    absent = {
        "transactions": ["price", "channel"],
        "articles": [column.name for column in ARTICLES if column.name != "article"],
    }
    settings = [f"data.columns.{table}.{name}=null" for table, names in absent.items() for name in names]
    overrides = small_settings(raw, tmp_path / "data", tmp_path / "runs", "data.files.customers=null", *settings)
    config = load_config(demo_config(tmp_path), overrides)
    ingest(config.data)
    pipeline = finish(config)
    assert set(pipeline.retrievers) == {"repurchase", "copurchase", "popular", "last_season"}
    lists = pl.read_csv(pipeline.run.folder / "submission.csv", infer_schema=False, glob=False)
    assert (lists["prediction"].str.split(" ").list.n_unique() == 12).all()


# --- damaged ---------------------------------------------------------------------------------------------------------


def test_damaged_step_files_are_made_again(again: Config) -> None:
    pipeline = open_pipeline(again, CPU)
    good = sha256(pipeline.run.folder / "submission.csv")
    (victim,) = (pipeline.run.folder / "steps").glob("*/recommend/000/table.parquet")
    victim.write_bytes(victim.read_bytes()[:-10])
    shutil.rmtree(pipeline.run.folder / "steps" / "submit")
    assert sha256(finish(again).run.folder / "submission.csv") == good


def test_processes_that_are_not_there_are_asked_for_before_any_work(config: Config) -> None:
    together = config.model_copy(update={"ranker": XGBoost(workers=3)})
    with pytest.raises(ConfigError, match=r"fitted by 3 processes .* but this run has 1: start with --cluster 3\."):
        open_pipeline(together, CPU)


@pytest.mark.gpu
def test_a_line_without_models_gives_the_same_bytes_on_both_engines(config: Config, gpu: Engine) -> None:
    chained = config.model_copy(update={"ranker": Order()})
    here, there = (finish(chained, engine).run.folder for engine in (CPU, gpu))
    assert sha256(here / "submission.csv") == sha256(there / "submission.csv")
    figures = [json.loads((folder / "metrics.json").read_text()) for folder in (here, there)]
    assert figures[0] == figures[1]
