"""`hmgpu vectors`: what a file has comes in, and every mistake is a sentence."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from hmgpu.data.manifest import Manifest
from hmgpu.data.store import Store


@pytest.fixture
def data(store: Store, tmp_path: Path) -> Path:
    shutil.copytree(store.root, tmp_path / "data")
    return tmp_path / "data"


def test_a_file_is_taken_and_a_bad_one_changes_nothing(hmgpu, data: Path, tmp_path: Path) -> None:
    ids = Store(data).article_ids().sort("article").head(3).collect()["article_id"]
    file = tmp_path / "mine.parquet"
    pl.DataFrame({"article_id": ids, "vector": [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]}).write_parquet(file)
    done = hmgpu("vectors", "text", "--from", file, "--data", data)
    assert done.returncode == 0, done.stdout + done.stderr
    total = Manifest.read(data).articles
    assert f"(text of 3 of {total:,} articles, 2 numbers each, by file mine.parquet)" in done.stdout
    pl.DataFrame({"article_id": ["no"], "vector": [[1.0, 0.0]]}).write_parquet(file)
    before = (data / "manifest.json").read_bytes()
    done = hmgpu("vectors", "text", "--from", file, "--data", data)
    assert done.returncode == 1
    assert f"{file}, row 1, column article_id: no names an article that the data set does not have" in done.stderr
    assert (data / "manifest.json").read_bytes() == before


def test_mistakes(hmgpu, data: Path) -> None:
    done = hmgpu("vectors", "pictures", "--data", "nowhere", "--from", "mine.parquet")
    assert (done.returncode, "run `hmgpu ingest` first" in done.stderr) == (1, True)
    done = hmgpu("vectors", "pictures", "--data", data, "--model", "clip-ViT-B-32")
    assert (done.returncode, "has no pictures: put them into /" in done.stderr) == (1, True)
    for flags in (["--data", data], ["--data", data, "--model", "a", "--from", "b"]):
        done = hmgpu("vectors", "pictures", *flags)
        assert done.returncode == 2
        assert "name " in done.stderr
    assert hmgpu("vectors", "sounds", "--data", data, "--model", "a").returncode == 2
