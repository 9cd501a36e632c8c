"""Each recipe loads by its name, and runs from end to end on small data, its models made small."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from kit import CONFIGS

from hmgpu.core.engine import Engine
from hmgpu.core.extras import missing
from hmgpu.data.store import Store
from hmgpu.pipeline.config import load_config
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.shipped_configs import config_file, shipped

RECIPES = {file.stem: file for file in sorted((CONFIGS / "recipes").glob("*.yaml"))}
SMALL = {
    "rounds": 5, "patience": 2, "learning_rate": 0.1, "depth": 3, "fits": 4, "bags": 2, "epochs": 1, "factors": 8,
    "iterations": 2, "dimensions": 8, "hidden": [16], "width": 8,
}  # fmt: skip


def small(settings: Any) -> Any:
    """The same settings at any depth, with few rounds and passes and short vectors."""
    if isinstance(settings, list):
        return [small(each) for each in settings]
    if not isinstance(settings, dict):
        return settings
    found = {key: SMALL.get(key, small(value)) for key, value in settings.items()}
    if settings.get("kind") == "automl":
        found |= {"weeks": 1, "kinds": ["xgboost", "logistic"]}
    if settings.get("last_week"):
        found |= {"last_week": "trained"} | ({"weeks": 2} if "weeks" in settings else {})
    if settings.get("of") == "sales":
        del found["dimensions"]
    return found


@pytest.fixture
def recipe(raw: Path, store: Store, tmp_path: Path):
    def load(name: str):
        content = small(load_config(name).settings())
        content["data"] |= {"raw": str(raw), "root": str(store.root)}
        content |= {"runs": str(tmp_path / "runs"), "engine": "cpu", "weeks": {"train": 2}}
        file = tmp_path / f"{name}.yaml"
        file.write_text(yaml.safe_dump(content, sort_keys=False))
        return load_config(file)

    return load


def test_recipes_are_found_by_name_after_the_other_configs() -> None:
    assert list(shipped())[-len(RECIPES) :] == list(RECIPES)
    assert {name: config_file(name) for name in RECIPES} == RECIPES


@pytest.mark.parametrize("name", RECIPES)
def test_it_says_what_it_is_after_and_what_is_other(name: str) -> None:
    header = RECIPES[name].read_text().partition("\n\n")[0]
    assert all(line.startswith("#") for line in header.splitlines())
    assert "As there:" in header
    assert "Other than there:" in header


@pytest.mark.parametrize("name", RECIPES)
def test_it_runs_from_end_to_end(name: str, recipe) -> None:
    config = recipe(name)
    lacking = missing(config.ranker.needs_packages())
    if lacking:
        pytest.skip(f"{', '.join(lacking)} is not installed")
    pipeline = open_pipeline(config, Engine.choose("cpu"))
    with pipeline.working():
        figures = json.loads(pipeline.evaluate().read_text())
    assert pipeline._without_quotas.left_out == {}
    assert 0 < figures["map_at_12"]["ranker"] <= 1
