"""Workflows and models are trained once, at the oldest training cutoff, and a killed training goes on."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from kit import demo_config

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.data.store import Store
from hmgpu.data.vectors.keep import keep
from hmgpu.data.weeks import Week
from hmgpu.experiments.variants import varied
from hmgpu.parts.retrievers.content import Content
from hmgpu.parts.retrievers.fresh import Fresh
from hmgpu.parts.retrievers.mult_vae import MultVAE
from hmgpu.parts.retrievers.out_of_stock import OutOfStock
from hmgpu.parts.retrievers.popular import Popular
from hmgpu.pipeline.config import Config, load_config
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.pipeline import Pipeline

CPU = Engine("cpu", "tests")


@pytest.fixture
def config(raw: Path, store: Store, tmp_path: Path) -> Config:
    places = [f"data.raw={raw}", f"data.root={store.root}", f"runs={tmp_path / 'runs'}"]
    retrievers = "retrievers={popular: {n: 12}, two_tower: {epochs: 3, weeks: 2, width: 8, hidden: [16], n: 12}}"
    return load_config(demo_config(tmp_path), [*places, retrievers, "features={}", "weeks.train=2"])


def learned(config: Config, *weeks_back: int) -> Pipeline:
    pipeline = open_pipeline(config, CPU)
    with pipeline.working():
        for back in weeks_back:
            pipeline.learn(pipeline.weeks.validation.back(back))
    return pipeline


def steps(pipeline: Pipeline, what: str) -> dict[str, dict]:
    """Return the manifests of the steps with `what` in their names."""
    folder = pipeline.run.folder / "steps"
    found = {
        str(file.parent.relative_to(folder)): json.loads(file.read_text()) for file in folder.rglob("manifest.json")
    }
    return {name: manifest for name, manifest in found.items() if what in name}


def test_a_network_that_reads_no_encoded_columns_waits_for_no_workflows(config: Config, monkeypatch) -> None:
    """Fitting them takes as long as training it."""
    monkeypatch.setattr(MultVAE, "train", lambda *_: None)
    part = MultVAE(epochs=1)
    pipeline = open_pipeline(config.model_copy(update={"retrievers": {"popular": Popular(), "mult_vae": part}}), CPU)
    pipeline.learning.trained("mult_vae", part, pipeline.weeks.validation)
    assert [*steps(pipeline, "train/")] == [f"{pipeline.weeks.oldest}/train/mult_vae"]
    assert not steps(pipeline, "encode")


def test_workflows_and_models_are_made_once_at_the_oldest_training_cutoff(config: Config) -> None:
    pipeline = learned(config, 2, 1, 0)
    oldest = pipeline.weeks.training[0]
    assert list(steps(pipeline, "encode")) == [f"{oldest}/encode"]
    trained = steps(pipeline, "train/")
    assert list(trained) == [f"{oldest}/train/retriever-two_tower"]
    towers = steps(pipeline, "learn/retriever-two_tower")
    assert len(towers) == 3
    made = {path: manifest["files"] for path, manifest in trained.items()}
    known, models = zip(
        *((inputs[0], inputs[1:]) for inputs in (step["inputs"] for step in towers.values())), strict=True
    )
    assert len(set(known)) == 3  # what was known before each week
    assert models[0] == models[1] == models[2]
    # Made from the workflows and the model; what needs neither is not.
    assert len(towers[f"{oldest}/learn/retriever-two_tower"]["inputs"]) == 3
    assert all(len(manifest["inputs"]) == 1 for manifest in steps(pipeline, "learn/retriever-popular").values())
    assert set(*made.values()) == {"towers.npz", "training.json"}
    assert not list((pipeline.run.folder / "unfinished").iterdir())


def test_nothing_is_made_again(config: Config) -> None:
    first = learned(config, 1)
    before = {file: file.stat().st_mtime_ns for file in first.run.folder.rglob("manifest.json")}
    learned(config, 1)
    changed = [file for file, when in before.items() if file.stat().st_mtime_ns != when]
    assert changed == [first.run.folder / "manifest.json"]  # the run's own, which says when it was last opened


def test_a_model_may_be_trained_again_every_so_many_weeks(config: Config) -> None:
    """By the calendar: every second week is the same one for a run that starts a week later."""
    towers = config.retrievers["two_tower"].model_copy(update={"refit": 2, "epochs": 1})
    three = {"retrievers": {"two_tower": towers}, "weeks": config.weeks.model_copy(update={"train": 3})}
    pipeline = learned(config.model_copy(update=three), 3, 2, 1)
    weeks = [pipeline.weeks.validation.back(back) for back in (3, 2, 1)]
    trained = [week for week in weeks if week == weeks[0] or week.first_day // 7 % 2 == 0]
    assert len(trained) == 2
    assert set(steps(pipeline, "train/")) == {f"{week}/train/retriever-two_tower" for week in trained}


def test_a_training_that_was_killed_goes_on_to_the_same_bytes(config: Config, tmp_path: Path, monkeypatch) -> None:
    from hmgpu.parts.models.training import loop as training

    trained_passes: list[int] = []
    started = training.ModelInTraining.on_train_epoch_start

    def counting(self: training.ModelInTraining) -> None:
        trained_passes.append(self.passed)
        started(self)
        if len(trained_passes) == 3:
            raise KeyboardInterrupt

    def model(pipeline: Pipeline) -> str:
        (manifest,) = steps(pipeline, "train/").values()
        return manifest["files"]

    monkeypatch.setattr(training.ModelInTraining, "on_train_epoch_start", counting)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        learned(config, 1)
    resumed = learned(config, 1)
    assert trained_passes == [0, 1, 2, 2]  # the third pass was started twice, the first two were not
    monkeypatch.undo()
    whole = learned(config.model_copy(update={"runs": tmp_path / "whole"}), 1)
    assert model(resumed) == model(whole)


def test_the_oldest_cutoff_is_that_of_the_first_training_week(config: Config) -> None:
    pipeline = open_pipeline(config, CPU)
    assert pipeline.weeks.oldest == pipeline.weeks.training[0] == Week(pipeline.weeks.validation.first_day - 14)


@pytest.fixture
def with_vectors(config: Config, store: Store, tmp_path: Path) -> Config:
    """Return the config of a pipeline that uses pictures, on a copy of the data set."""
    shutil.copytree(store.root, tmp_path / "data")
    content = {"looks": Content(of="pictures"), "kept": OutOfStock(of=Content(of="pictures"))}
    retrievers = {"popular": config.retrievers["popular"], **content}
    data = config.data.model_copy(update={"root": tmp_path / "data"})
    return config.model_copy(update={"retrievers": retrievers, "data": data})


def test_a_line_that_looks_at_pictures_says_what_it_lacks(with_vectors: Config) -> None:
    with pytest.raises(DataError, match=r"retrievers\.\w+: .* `hmgpu vectors pictures --data .*data --model"):
        open_pipeline(with_vectors, CPU)
    filtered = {"kept": with_vectors.retrievers["kept"]}
    with pytest.raises(DataError, match=r"retrievers\.kept: "):
        open_pipeline(with_vectors.model_copy(update={"retrievers": filtered}), CPU)


def test_vectors_that_a_part_takes_where_there_are_some_decide_its_run(with_vectors: Config) -> None:
    root = with_vectors.data.root
    fresh = {"popular": with_vectors.retrievers["popular"], "fresh": OutOfStock(of=Fresh(space="buyers"))}
    config = with_vectors.model_copy(update={"retrievers": fresh})
    without = open_pipeline(config, CPU)
    ids = Store(root).article_ids().sort("article").collect()["article_id"]
    keep(root, "text", ids, np.random.default_rng(1).normal(size=(len(ids), 4)), "tests")
    other = open_pipeline(config, CPU)
    assert without.run.folder != other.run.folder
    known = [len(each.learning._known_to(fresh["fresh"], each.weeks.oldest)) for each in (without, other)]
    assert known == [1, 2]


def test_other_vectors_remake_what_looks_at_them_and_nothing_else(with_vectors: Config) -> None:
    root = with_vectors.data.root
    ids = Store(root).article_ids().sort("article").collect()["article_id"]
    vectors = np.random.default_rng(1).normal(size=(len(ids), 4))

    def run() -> Pipeline:
        return learned(with_vectors, 1)

    def without() -> str:
        popular = {"popular": with_vectors.retrievers["popular"]}
        return open_pipeline(with_vectors.model_copy(update={"retrievers": popular}), CPU).run.folder.name

    plain = without()
    keep(root, "pictures", ids, vectors, "tests")
    first = run()
    keep(root, "text", ids, vectors, "tests")
    assert run().run.folder == first.run.folder  # texts decide nothing here
    before = steps(first, "learn/")
    keep(root, "pictures", ids, -vectors[:, ::-1], "tests")
    other = run()
    assert other.run.folder != first.run.folder
    after = steps(other, "learn/")
    assert after.keys() == before.keys()
    remade = {name.rpartition("/")[2] for name in after if after[name]["inputs"] != before[name]["inputs"]}
    assert remade == {"retriever-looks", "retriever-kept"}
    assert all(after[name]["files"] != before[name]["files"] for name in after if name.endswith(("looks", "kept")))
    assert without() == plain  # of a line that looks at none the run is the one it always was


def test_another_oldest_cutoff_has_workflows_and_models_of_its_own(config: Config) -> None:
    pipeline = learned(config, 1)
    before = steps(pipeline, "")
    other = varied(pipeline, "weeks-1", {"weeks": config.weeks.model_copy(update={"train": 1})})
    (week,) = other.weeks.training
    assert week == pipeline.weeks.validation.back(1) != pipeline.weeks.training[0]
    other.learn(week)
    # All steps stay in their place but the workflows, the towers and what is learned with the towers.
    assert set(steps(other, "")) == {f"{week}/{step}" for step in ("encode", "train/retriever-two_tower")} | {
        f"{week}/learn/retriever-two_tower"
    }
    alone = learned(config.model_copy(update={"weeks": other.config.weeks}), 1)
    made = {name: step["files"] for name, step in steps(alone, "").items()}
    for name, step in steps(other, "").items():
        assert step["files"] == made[name]
    learned_by_towers = f"{week}/learn/retriever-two_tower"
    assert made[learned_by_towers] != before[learned_by_towers]["files"]
    assert steps(pipeline, "") == before
