"""What a run was set up with."""

import json
from pathlib import Path

from kit import demo_config

from hmgpu.core.differing import differing
from hmgpu.core.engine import Engine
from hmgpu.data.store import Store
from hmgpu.pipeline.config import Config, load_config
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.origin import origin


def test_settings_differ_at_the_deepest_key_that_both_have():
    first = {
        "seed": 1,
        "weeks": {"train": 4, "validation": None},
        "retrievers": {"popular": {"n": 40}, "als": {"n": 9}},
    }
    second = {"seed": 1, "weeks": {"train": 2, "validation": None}, "retrievers": {"popular": {"n": 20}}, "new": 0}
    assert differing(first, second) == {
        "weeks.train": [4, 2],
        "retrievers.popular.n": [40, 20],
        "retrievers.als": [{"n": 9}, None],
        "new": [None, 0],
    }


def test_the_shipped_base_differs_in_nothing(tmp_path: Path):
    assert origin(load_config("base")) == {"config": "base", "changed": {}}
    elsewhere = load_config("base", [f"runs={tmp_path}", "memory_gb=3", "retrain.keep=2"])
    assert origin(elsewhere) == {"config": "base", "changed": {}}  # decides no result


def test_what_was_set_is_told_apart(tmp_path: Path):
    found = origin(load_config("base", ["seed=7", "retrievers.mine={kind: popular, n: 3}"]))
    assert found["changed"].pop("retrievers.mine")["n"] == 3
    assert found == {"config": "base", "changed": {"seed": 7}}
    file = demo_config(tmp_path)
    assert origin(load_config(file))["config"] == str(file)


def test_a_run_keeps_it(config: Config, store: Store):
    pipeline = open_pipeline(config, Engine("cpu", "tests"))
    with pipeline.working():
        pass
    facts = json.loads((pipeline.run.folder / "manifest.json").read_text())
    assert (facts["config"], facts["changed"]["weeks.train"]) == (config.name, 2)
