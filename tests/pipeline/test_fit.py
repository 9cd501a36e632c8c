"""The ranker that serves, fitted again with the validation week; and the lists that a guard's trial is judged on."""

import json
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from kit import ODD, few_parts
from planted import SMALL, on_disk, planted

from hmgpu.core.engine import Engine
from hmgpu.data.ingest import ingest
from hmgpu.data.settings import DataSettings
from hmgpu.data.store import Store
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.examples import LABEL
from hmgpu.parts.ranker import Ranker
from hmgpu.parts.rankers.cascade import Cascade
from hmgpu.parts.rankers.guard import Guard
from hmgpu.parts.rankers.order import Order
from hmgpu.parts.rankers.stack import Stack
from hmgpu.parts.rankers.xgboost import CURVE_FILE, XGBoost
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.evaluate import LISTS
from hmgpu.pipeline.fit import fit, refit
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.runs.run import Run
from hmgpu.serving.finished_run import FinishedRun

CPU = Engine("cpu", "tests")


def weeks_of(config: Config, store: Store, **update: object) -> Config:
    """`config`, validated on the last week but one."""
    named = {"validation": str(store.last_complete_week.back(1)), "train": 2, **update}
    return config.model_copy(update={"weeks": config.weeks.model_copy(update=named)})


@pytest.fixture(scope="module")
def pair(raw: Path, store: Store, tmp_path_factory: pytest.TempPathFactory) -> tuple[Pipeline, Pipeline]:
    """A pipeline that is fitted once, and the same with `weeks.refit`."""
    base = few_parts(raw, store.root, tmp_path_factory.mktemp("runs"))
    once, again = (open_pipeline(weeks_of(base, store, refit=refit), CPU) for refit in (False, True))
    for pipeline in (once, again):
        pipeline.evaluate()
        pipeline.submit()
    return once, again


def trees(folder: Path) -> int:
    return int(json.loads((folder / CURVE_FILE).read_text())["kept"])


def test_what_serves_has_as_many_trees_and_saw_the_validation_week(pair: tuple[Pipeline, Pipeline]) -> None:
    once, again = pair
    first, second = again.ranker_of(again.weeks.validation), again.train()
    assert (first.name, second.name) == ("fit", "refit")
    assert (again.run.folder / "model").resolve() == second.folder.resolve()
    assert first.digest == once.train().digest
    assert trees(first.folder) == trees(second.folder) > 0
    assert (first.folder / "model.ubj").read_bytes() != (second.folder / "model.ubj").read_bytes()
    newest = pl.read_parquet(
        again.run.folder / "steps" / str(again.weeks.validation) / "training" / "000" / "*.parquet"
    )
    bought = again.store.sold_in(again.weeks.validation).collect()
    assert (
        newest.filter(pl.col(LABEL) > 0)
        .select(KEYS)
        .equals(newest.select(KEYS).join(bought, on=KEYS, how="semi", maintain_order="left"))
    )
    assert newest[LABEL].sum() > 0


def test_the_validation_weeks_figures_are_those_of_the_ranker_that_never_trained_on_it(
    pair: tuple[Pipeline, Pipeline],
) -> None:
    once, again = pair
    assert once.evaluate().read_bytes() == again.evaluate().read_bytes()


def test_later_weeks_lists_are_by_the_one_that_is_fitted_again(pair: tuple[Pipeline, Pipeline]) -> None:
    once, again = pair
    week = again.store.last_complete_week
    lists = [pl.read_parquet(pipeline.judge(week).parent / LISTS, glob=False) for pipeline in pair]
    assert not lists[0].equals(lists[1])
    # As a pipeline has them whose ranker is the one that was fitted again.
    judged = again.run.folder / "steps" / str(week) / "evaluate" / "manifest.json"
    assert again.train().digest in json.loads(judged.read_text())["inputs"]
    assert once.submit().read_bytes() != again.submit().read_bytes()
    run = FinishedRun.open(again.run.folder)
    assert (run.ranker.folder.name, FinishedRun.open(once.run.folder).ranker.folder.name) == ("refit", "fit")


def test_nothing_after_the_validation_week_reaches_it(
    pair: tuple[Pipeline, Pipeline], raw: Path, tmp_path: Path
) -> None:
    _, again = pair
    shutil.copytree(raw, tmp_path / "raw")
    file = tmp_path / "raw" / "transactions_train.csv"
    rows = pl.read_csv(file, infer_schema=False, glob=False)
    rows.filter(pl.col("t_dat") < str(again.store.last_complete_week)).write_csv(file)
    ingest(DataSettings(raw=tmp_path / "raw", root=tmp_path / "data"))
    data = again.config.data.model_copy(update={"root": tmp_path / "data"})
    earlier = open_pipeline(again.config.model_copy(update={"data": data, "runs": tmp_path / "runs"}), CPU)
    assert earlier.train().digest == again.train().digest


@pytest.mark.parametrize(
    "ranker",
    [
        Cascade(first=XGBoost(rounds=3), keep=12, then=XGBoost(rounds=5, min_child_weight=1)),
        Guard(ranker=Stack(rankers={"a": XGBoost(rounds=3)}, stacker=XGBoost(rounds=4)), judged=40),
        Order(),
    ],
    ids=["cascade", "guard-stack", "order"],
)
def test_whatever_is_within_is_fitted_again(ranker: Ranker, pair: tuple[Pipeline, Pipeline]) -> None:
    _, again = pair
    config = weeks_of(again.config, again.store, train=3, refit=True).model_copy(update={"ranker": ranker})
    run = Run(again.run.folder.parent / f"{ranker.kind}-run", CPU, base=again.run)
    pipeline = Pipeline(config, CPU, again.store, run)
    first, second = pipeline.ranker_of(pipeline.weeks.validation), pipeline.train()
    same = first.digest == second.digest
    assert same if isinstance(ranker, Order) else not same
    for curve in second.folder.rglob(CURVE_FILE):
        assert trees(curve.parent) == trees(first.folder / curve.parent.relative_to(second.folder))


def test_a_guards_lists_are_of_some_buyers_and_of_the_same_ones_again(pair: tuple[Pipeline, Pipeline]) -> None:
    _, again = pair
    config = again.config.model_copy(update={"ranker": Guard(judged=30)})
    pipelines = [Pipeline(config, CPU, again.store, Run(again.run.folder.parent / f"lists-{n}", CPU)) for n in (1, 2)]
    asked = [pl.concat(pipeline.training[0].last_lists().tables()) for pipeline in pipelines]
    assert asked[0].equals(asked[1])
    assert 0 < asked[0]["customer"].n_unique() <= 30
    whole = pl.concat(pipelines[0].examples(pipelines[0].weeks.training[-1], training=False)[0].tables())
    assert asked[0].equals(whole.join(asked[0], on="customer", how="semi", maintain_order="left"))


def test_temporary_files_lie_in_the_step_while_it_is_fitted(tmp_path, monkeypatch):
    """Where they are large, that is the disk to have room on, and nothing stays behind where the process is killed."""
    training, validation = on_disk(tmp_path, a=planted(60, 1)), on_disk(tmp_path, b=planted(60, 2))
    seen, run_it = [], XGBoost._run

    def looking(self, *given):
        seen.append((tempfile.gettempdir(), Path(tempfile.gettempdir()).resolve()))
        return run_it(self, *given)

    monkeypatch.setattr(XGBoost, "_run", looking)
    run, workers, usual = Run(tmp_path / ODD, CPU), SimpleNamespace(client=None), tempfile.gettempdir()
    context = SimpleNamespace(run=run, ranker=SMALL, engine=CPU, seed=1, workers=workers)
    step = fit(context, (training, []), (validation, []))
    again = refit(context, step, (training, []))
    assert [folder.is_relative_to(run.folder / "steps") for _, folder in seen] == [True, True]
    assert all(path.isascii() for path, _ in seen)  # XGBoost finds no others
    assert tempfile.gettempdir() == usual
    assert all(file.is_file() for done in (step, again) for file in done.folder.iterdir())
