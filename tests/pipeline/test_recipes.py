"""Each recipe loads by its name, and runs from end to end on small data, its models made small."""

import json
import shutil
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
from hmgpu.runs.run import MANIFEST
from hmgpu.testing.pictures import colour_of, draw_pictures

CPU = Engine("cpu", "tests")
FILES = {file.stem: file for file in sorted((CONFIGS / "recipes").glob("*.yaml"))}
RECIPES = {name: file for name, file in FILES.items() if not name.startswith("relbench")}  # which has tests of its own
SMALL = {
    "rounds": 5, "patience": 2, "learning_rate": 0.1, "depth": 3, "fits": 2, "bags": 2, "epochs": 1, "factors": 8,
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
    if settings.get("kind") == "image_ete":
        found |= {"model": "test_resnet", "pixels": 32}
    if settings.get("of") == "sales":
        del found["dimensions"]
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs that all recipes share: what several of them learn alike is learned once."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def with_pictures(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The small data with a picture of every article."""
    root = tmp_path_factory.mktemp("pictures") / "shop" / "data"
    shutil.copytree(store.root, root)
    copy = Store(root)
    assert copy.place_of_pictures.is_relative_to(root.parent)
    ids = copy.article_ids().collect().sort("article")["article_id"]
    draw_pictures(copy.place_of_pictures, {name: colour_of(number) for number, name in enumerate(ids)})
    return copy


def test_recipes_are_found_by_name_after_the_other_configs() -> None:
    assert list(shipped())[-len(FILES) :] == list(FILES)
    assert {name: config_file(name) for name in FILES} == FILES


@pytest.mark.parametrize("name", RECIPES)
def test_it_says_what_it_is_after_and_what_is_other(name: str) -> None:
    header = RECIPES[name].read_text().partition("\n\n")[0]
    assert all(line.startswith("#") for line in header.splitlines())
    assert "As there:" in header
    assert "Other than there:" in header


@pytest.mark.parametrize("name", RECIPES)
def test_it_runs_from_end_to_end(name: str, raw: Path, with_pictures: Store, runs: Path, tmp_path: Path) -> None:
    asked = load_config(name)
    content = small(asked.settings())
    content["data"] |= {"raw": str(raw), "root": str(with_pictures.root)}
    content |= {
        "runs": str(runs),
        "engine": "cpu",
        "weeks": {"train": 1 + min(1, asked.ranker.needs_lists)},
        "encode": {"days": 56},
    }
    file = tmp_path / f"{name}.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    config = load_config(file)
    packages = set(config.ranker.needs_packages()).union(
        *(part.needs_packages() for part in config.retrievers.values())
    )
    lacking = missing(packages)
    if lacking:
        pytest.skip(f"{', '.join(lacking)} is not installed")
    pipeline = open_pipeline(config, CPU)
    with pipeline.working():
        figures = json.loads(pipeline.judge(pipeline.weeks.validation).read_text())
        facts = json.loads((pipeline.run.folder / MANIFEST).read_text())
    assert facts["left_out"] == {}
    assert 0 < figures["map_at_12"]["ranker"] <= 1
