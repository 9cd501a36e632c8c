"""Weeks one by one: each scored by a pipeline fitted before it, all together pooled by buyers."""

import json
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from kit import files_in

from hmgpu.core.engine import Engine
from hmgpu.core.files import sha256, write_json
from hmgpu.core.printed import as_text
from hmgpu.data.store import Store
from hmgpu.data.weeks import Week
from hmgpu.experiments.folds import evaluate_folds, fold_pipelines, fold_table, place_of
from hmgpu.pipeline.config import Config

CPU = Engine("cpu", "tests")
METHODS = ("popular", "order", "ranker")


class Judged:
    """A pipeline whose evaluation of a week wrote these average precisions, the same for every method."""

    def __init__(self, runs: Path, precisions: dict[int, float], digest: str) -> None:
        self.folder, self.precisions = runs / f"2020-09-22-{digest}", precisions
        self.folder.mkdir(parents=True)
        write_json(self.folder / "manifest.json", {"data": "d"})
        self.run = SimpleNamespace(folder=self.folder)
        self.config = SimpleNamespace(settings=lambda: {"seed": digest})
        self.works = False

    @contextmanager
    def working(self):
        self.works = True
        yield self
        self.works = False

    def evaluate(self, week: Week) -> Path:
        assert self.works
        columns = {name: list(self.precisions.values()) for name in METHODS}
        rows = {"customer": list(self.precisions), "segment": ["active"] * len(self.precisions), **columns}
        pl.DataFrame(rows, schema_overrides={"customer": pl.Int32}).write_parquet(self.folder / "precisions.parquet")
        mean = sum(self.precisions.values()) / len(self.precisions)
        figures = {"map_at_12": dict.fromkeys(METHODS, mean), "map_at_12_interval": dict.fromkeys(METHODS, (0, 1))}
        write_json(self.folder / "metrics.json", {"week": str(week), "customers": len(self.precisions)} | figures)
        return self.folder / "metrics.json"


@pytest.fixture
def folds(tmp_path: Path) -> list:
    """One customer with a list that is right, and a week later three, one of them with a list that is half right."""
    first, last = Week(18_508), Week(18_515)
    lines = Judged(tmp_path, {1: 1.0}, "aaaaaaaa"), Judged(tmp_path, {1: 0.0, 2: 0.5, 3: 0.0}, "bbbbbbbb")
    return list(zip(lines, (first, last), strict=True))


def test_all_who_bought_count_alike_and_who_bought_in_two_weeks_twice(folds, tmp_path):
    found, _ = evaluate_folds(folds, tmp_path)
    assert [(fold["week"], fold["map_at_12"]["ranker"]) for fold in found["folds"]] == [
        ("2020-09-03", 1.0),
        ("2020-09-10", pytest.approx(1 / 6)),
    ]
    assert found["all"]["customers"] == 4
    assert found["all"]["map_at_12"] == dict.fromkeys(METHODS, 1.5 / 4)
    low, high = found["all"]["map_at_12_interval"]["ranker"]
    assert 0 <= low < 1.5 / 4 < high <= 1


def test_what_is_left_is_named_after_the_last_line_and_week(folds, tmp_path):
    found, file = evaluate_folds(folds, tmp_path)
    assert file == tmp_path / "folds-2-weeks-to-2020-09-10-bbbbbbbb.json"
    assert json.loads(file.read_text()) == json.loads(json.dumps(found))
    assert (found["settings"], found["manifest"]) == ({"seed": "bbbbbbbb"}, {"data": "d"})
    table = file.with_suffix(".parquet")
    assert found["precisions"] == {table.name: sha256(table)}
    rows = pl.read_parquet(table, glob=False).select("week", "customer", "ranker").rows()
    assert rows == [("2020-09-03", 1, 1.0), ("2020-09-10", 1, 0.0), ("2020-09-10", 2, 0.5), ("2020-09-10", 3, 0.0)]
    assert "2020-09-03" in file.with_suffix(".html").read_text()


def test_another_number_of_folds_replaces_nothing(folds, tmp_path):
    _, file = evaluate_folds(folds, tmp_path)
    before = files_in(tmp_path)
    _, fewer = evaluate_folds(folds[1:], tmp_path)
    written = {fewer.with_suffix(end).name for end in (".json", ".parquet", ".html")}
    assert written.isdisjoint(before)
    after = files_in(tmp_path)
    assert {name: after[name] for name in before if "/" not in name} == {n: before[n] for n in before if "/" not in n}
    assert {place_of(what, folds[1][0], folds[1][1], 2, tmp_path) for what in ("folds", "ablation-features")} == {
        file,
        tmp_path / "ablation-features-2-weeks-to-2020-09-10-bbbbbbbb.json",
    }


def test_a_ratio_to_nothing_is_a_dash(folds, tmp_path):
    found, _ = evaluate_folds(folds, tmp_path)
    found["folds"][1]["map_at_12"]["order"] = 0.0
    lines = [line.split() for line in as_text([fold_table(found)], 80).splitlines()]
    assert [cells[-1] for cells in lines if "ranker" in cells[:2]] == ["1.00", "–", "1.00"]
    assert [cells[0] for cells in lines if "popular" in cells] == ["2020-09-03", "2020-09-10", "all"]


def test_every_week_has_a_line_that_stops_before_it(config: Config, store: Store) -> None:
    lines = list(fold_pipelines(config, CPU, 2))
    last = store.last_complete_week
    assert [week for _, week in lines] == [last.back(1), last]
    for pipeline, week in lines:
        assert pipeline.weeks.validation == week.back(1)
        assert pipeline.weeks.training == (week.back(3), week.back(2))
    assert len({pipeline.run.folder for pipeline, _ in lines}) == 2


def test_what_a_fold_learned_of_a_week_the_next_one_takes_over(config: Config) -> None:
    lines = []
    for pipeline, week in fold_pipelines(config, CPU, 2):
        with pipeline.working():
            pipeline.learn(week.back(1))
        lines.append(pipeline)
    learned = [pipeline.run.folder / "steps" / str(lines[0].weeks.validation) for pipeline in lines]
    assert not learned[1].exists()
    with lines[1].working():
        lines[1].learn(lines[0].weeks.validation)
    manifests = [{file.parent.name: file.read_bytes() for file in each.rglob("manifest.json")} for each in learned]
    assert manifests[0]  # with the seconds that each step took: the same to the byte only where it was copied
    assert manifests[1] == manifests[0]
