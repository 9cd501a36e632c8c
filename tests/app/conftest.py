"""Two finished runs over a small data set with pictures: what the app's pages show."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import yaml

from hmgpu.app.lookups.opened import OpenRun
from hmgpu.core.files import sha256, write_json
from hmgpu.data.store import Store
from hmgpu.pipeline.config import Config
from hmgpu.runs.publish import CURRENT
from hmgpu.runs.seal import seal
from hmgpu.testing.pictures import colour_of, draw_pictures

MAIN = sys.modules["__main__"]


@pytest.fixture(autouse=True)
def main_as_before() -> Iterator[None]:
    """Streamlit puts its page in the place of `__main__`, which processes that tests start later would load."""
    yield
    sys.modules["__main__"] = MAIN


@pytest.fixture(scope="session")
def shop(finished: Config, store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the runs: one is current, the other would have recommended in another order."""
    place = tmp_path_factory.mktemp("shop")
    data, runs = place / "data", place / "runs"
    shutil.copytree(store.root, data)
    ids = store.article_ids().collect().sort("article")
    # Every tenth article has no picture, and gets a tile.
    draw_pictures(data / "images", {id_: colour_of(key) for key, id_ in ids.iter_rows() if key % 10})
    shutil.copytree(finished.runs, runs, symlinks=True)
    (first,) = (folder for folder in runs.iterdir() if (folder / "config.yaml").is_file())
    settings = yaml.safe_load((first / "config.yaml").read_text())
    settings["data"]["root"] = str(data)
    (first / "config.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    second = runs / "2020-09-22-another0"
    shutil.copytree(first, second, symlinks=True)
    _turn_lists(second)
    for folder in (second, first):
        seal(folder)
    (runs / CURRENT).symlink_to(first.name)
    return runs


def _turn_lists(run: Path) -> None:
    """Give every fourth customer of the held-out week the first one's list."""
    folder = (run / "metrics.json").resolve().parent
    lists = pl.read_parquet(folder / "lists.parquet")
    first = lists.filter(pl.col("customer") == lists["customer"].min())["article"]
    turned = pl.col("customer") % 4 == 0
    other = pl.when(turned).then(first.gather(lists["rank"] - 1)).otherwise(pl.col("article"))
    lists.with_columns(article=other).write_parquet(folder / "lists.parquet")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["lists.parquet"] = sha256(folder / "lists.parquet")
    write_json(folder / "manifest.json", manifest)


@pytest.fixture(scope="session")
def opened(shop: Path) -> OpenRun:
    return OpenRun(shop / CURRENT)
