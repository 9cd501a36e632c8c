"""Two runs compared, worked out by hand and as real runs."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from kit import demo_config

from hmgpu.core.engine import Engine
from hmgpu.core.errors import RunError
from hmgpu.core.printed import as_text
from hmgpu.data.store import Store
from hmgpu.experiments.compare import Judged, compare, comparison_tables
from hmgpu.experiments.folds import evaluate_folds, fold_pipelines
from hmgpu.parts.rankers.order import Order
from hmgpu.pipeline.config import Config, load_config
from hmgpu.pipeline.open import open_pipeline

CPU = Engine("cpu", "tests")
SEGMENTS = {1: "active", 2: "active", 3: "lapsed", 4: "new"}
A = {1: 0.5, 2: 0.25, 3: 0.0, 4: 1.0}
B = {1: 1.0, 2: 0.75, 3: 0.0, 4: 0.5}


@pytest.fixture
def left(tmp_path: Path):
    """A run's folder as an evaluation leaves it."""

    def make(
        name: str, precisions: dict[int, float], week: str = "2020-09-16", data: str = "d", **settings: Any
    ) -> Path:
        folder = tmp_path / name
        step = folder / "steps" / week / "evaluate"
        step.mkdir(parents=True)
        (step / "metrics.json").write_text(json.dumps({"week": week}))
        (folder / "metrics.json").symlink_to(step / "metrics.json")
        (folder / "config.yaml").write_text(yaml.safe_dump({"runs": name, "seed": 42} | settings))
        (folder / "manifest.json").write_text(json.dumps({"data": data, "engine": "cpu", "code": "c"}))
        table = {"customer": precisions.keys(), "segment": [SEGMENTS[c] for c in precisions]}
        pl.DataFrame(table | {"popular": 0.0, "ranker": precisions.values()}).write_parquet(step / "precisions.parquet")
        return folder

    return make


def compared(first: Path, second: Path) -> dict[str, Any]:
    return compare(Judged.read(first), Judged.read(second))


def test_means_and_differences_by_hand(left):
    found = compared(left("a", A), left("b", B, ranker={"kind": "dlrm"}))
    everybody = found["all"]
    assert everybody["customers"] == 4
    assert everybody["map_at_12"] == [0.4375, 0.5625]
    assert everybody["difference"] == 0.125
    assert -0.5 <= everybody["low"] < 0 < everybody["high"] <= 0.5
    # Three differ, all by as much: of eight ways to give them signs, all have a sum of at least .5 either way.
    assert everybody["p_value"] == 1
    assert {name: part["customers"] for name, part in found["segments"].items()} == {"active": 2, "lapsed": 1, "new": 1}
    active = found["segments"]["active"]
    assert (active["map_at_12"], active["low"], active["high"]) == ([0.375, 0.875], 0.5, 0.5)
    assert active["p_value"] == pytest.approx(1 / 2, abs=0.03)
    assert (found["segments"]["lapsed"]["difference"], found["segments"]["lapsed"]["p_value"]) == (0, 1)
    assert list(found["weeks"]) == ["2020-09-16"]
    assert found["settings"] == {"ranker": [None, {"kind": "dlrm"}]}


def test_the_other_way_round_is_the_other_sign(left):
    a, b = left("a", A), left("b", B)
    there, back = compared(a, b)["all"], compared(b, a)["all"]
    assert back["difference"] == -there["difference"]
    assert (back["low"], back["high"]) == pytest.approx((-there["high"], -there["low"]))
    assert back["p_value"] == there["p_value"]
    same = compared(a, a)["all"]
    assert (same["difference"], same["low"], same["high"], same["p_value"]) == (0, 0, 0, 1)


def test_the_order_of_rows_decides_nothing(left):
    a, b, turned = left("a", A), left("b", B), left("turned", dict(reversed(B.items())))
    found, again = compared(a, b), compared(a, turned)
    assert {key: found[key] for key in ("all", "weeks", "segments")} == {
        key: again[key] for key in ("all", "weeks", "segments")
    }


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"week": "2020-09-09"}, r"scored on 2020-09-16 and .*b on 2020-09-09: evaluate both on the same, with --set"),
        ({"data": "e"}, "used different data: evaluate both on one data set"),
        ({"precisions": {1: 1.0, 2: 0.75, 3: 0.0}}, "scored on different customers"),
    ],
)
def test_what_can_t_be_compared_says_why(left, other: dict[str, Any], says: str):
    with pytest.raises(RunError, match=says):
        compared(left("a", A), left("b", **({"precisions": B} | other)))


@pytest.mark.parametrize("lost", ["metrics.json", "config.yaml", "steps/2020-09-16/evaluate/precisions.parquet"])
def test_a_run_without_an_evaluation_says_how_to_get_one(left, lost: str):
    folder = left("a", A)
    (folder / lost).unlink()
    with pytest.raises(RunError, match=r"a holds no evaluation that can be read: name a run that `hmgpu evaluate`"):
        Judged.read(folder)
    with pytest.raises(RunError, match="nowhere does not exist: name a run"):
        Judged.read(folder.parent / "nowhere")


def test_the_tables_fit_a_terminal(left):
    found = compared(left("a", A), left("b", B, ranker={"kind": "dlrm"}))
    text = as_text(comparison_tables(found), 80)
    rows = [line.split() for line in text.splitlines()]
    assert ["all", "4", "0.43750", "0.56250", "+0.12500"] in [row[:5] for row in rows]
    assert [row[0] for row in rows if row[:1] and row[0] in ("active", "lapsed", "new")] == ["active", "lapsed", "new"]
    assert ["ranker", "–", '{"kind":', '"dlrm"}'] in rows
    assert "Settings that differ" in text


# --- as runs leave them ----------------------------------------------------------------------------------------------


@pytest.fixture
def config(raw: Path, store: Store, tmp_path: Path) -> Config:
    places = [f"data.raw={raw}", f"data.root={store.root}", f"runs={tmp_path / 'runs'}"]
    parts = ["retrievers={repurchase: {n: 20}, popular: {n: 20}}", "features={retriever_scores: {}}"]
    return load_config(demo_config(tmp_path), [*places, *parts, "ranker.rounds=5", "weeks.train=1", "engine=cpu"])


def evaluated(config: Config) -> Path:
    pipeline = open_pipeline(config, CPU)
    with pipeline.working():
        pipeline.evaluate()
    return pipeline.run.folder


def test_runs_are_compared_as_their_metrics_say(config: Config):
    chained = config.model_copy(update={"ranker": Order()})
    first, second = evaluated(config), evaluated(chained)
    found = compared(first, second)
    metrics = [json.loads((folder / "metrics.json").read_text()) for folder in (first, second)]
    assert found["all"]["map_at_12"] == pytest.approx([each["map_at_12"]["ranker"] for each in metrics])
    assert found["all"]["map_at_12"][1] == pytest.approx(metrics[0]["map_at_12"]["order"])
    for name, part in metrics[0]["segments"].items():
        assert found["segments"][name]["customers"] == part["customers"]
        assert found["segments"][name]["map_at_12"][0] == pytest.approx(part["map_at_12"]["ranker"])
    assert found["settings"]["ranker.kind"] == ["xgboost", "order"]
    assert json.loads(json.dumps(found)) == found


def test_folds_are_compared_without_their_runs(config: Config, store: Store):
    files = []
    for ranker in (config.ranker, Order()):
        found, file = evaluate_folds(fold_pipelines(config.model_copy(update={"ranker": ranker}), CPU, 2), config.runs)
        assert json.loads(file.read_text()) == json.loads(json.dumps(found))
        files.append(file)
    assert len(set(files)) == 2
    run = next(folder for folder in config.runs.iterdir() if folder.is_dir())
    for folder in config.runs.iterdir():
        if folder.is_dir() and folder != run:
            shutil.rmtree(folder)
    again = compared(*files)
    weeks = [str(store.last_complete_week.back(1)), str(store.last_complete_week)]
    assert list(again["weeks"]) == weeks
    folds = [json.loads(file.read_text()) for file in files]
    assert again["all"]["map_at_12"] == pytest.approx([each["all"]["map_at_12"]["ranker"] for each in folds])
    for week, fold in zip(weeks, folds[0]["folds"], strict=True):
        assert again["weeks"][week]["customers"] == fold["customers"]
        assert again["weeks"][week]["map_at_12"][0] == pytest.approx(fold["map_at_12"]["ranker"])
    with pytest.raises(RunError, match="evaluate both on the same"):
        compared(files[0], evaluated(config))
    # The table next to it must be the one that was written.
    files[0].with_suffix(".parquet").write_bytes(files[1].with_suffix(".parquet").read_bytes())
    with pytest.raises(RunError, match="is not the table that belongs to"):
        compared(*files)


def test_folds_pool_their_buyers(config: Config):
    found, file = evaluate_folds(fold_pipelines(config, CPU, 2), config.runs)
    pooled, folds = found["all"], found["folds"]
    buyers = sum(fold["customers"] for fold in folds)
    assert pooled["customers"] == buyers
    for method, mean in pooled["map_at_12"].items():
        parts = [fold["map_at_12"][method] for fold in folds]
        low, high = pooled["map_at_12_interval"][method]
        assert low <= mean <= high
        assert min(parts) <= mean <= max(parts)
        assert mean == pytest.approx(sum(f["customers"] * f["map_at_12"][method] for f in folds) / buyers)
    rows = pl.read_parquet(file.with_suffix(".parquet"), glob=False)
    assert rows.columns == ["week", "customer", "segment", *pooled["map_at_12"]]
    assert rows.height == buyers
