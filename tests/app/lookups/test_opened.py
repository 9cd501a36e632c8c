import re
import shutil
from pathlib import Path

import polars as pl
import pytest
import yaml

from hmgpu.app.lookups.opened import OpenRun
from hmgpu.core.errors import DataError, RunError
from hmgpu.data.weeks import date_of
from hmgpu.runs.publish import CURRENT
from hmgpu.runs.seal import SEAL


@pytest.fixture
def own(shop: Path, tmp_path: Path) -> Path:
    """A run that a test may change, in a folder like the one in which it was made."""
    run = shutil.copytree((shop / CURRENT).resolve(), tmp_path / "demo" / "runs" / "one", symlinks=True)
    (run / SEAL).unlink()
    return run


def set_root(run: Path, root: str, runs: str) -> None:
    settings = yaml.safe_load((run / "config.yaml").read_text())
    settings["data"]["root"], settings["runs"] = root, runs
    (run / "config.yaml").write_text(yaml.safe_dump(settings))


def test_a_run_knows_its_days(opened: OpenRun) -> None:
    assert str(date_of(opened.last_day)) == opened.run.manifest["last_day"]
    assert opened.next_week.first_day == opened.last_day + 1
    assert opened.held_out is not None
    assert opened.held_out.week.first_day == opened.last_day - 6


def test_a_data_set_is_found_from_where_the_run_was_made(own: Path, opened: OpenRun, tmp_path: Path) -> None:
    (tmp_path / "demo" / "data").symlink_to(opened.store.root)
    set_root(own, "demo/data", "demo/runs")
    assert OpenRun(own).store.root == tmp_path / "demo" / "data"


def test_without_its_data_set_a_run_says_where_it_should_be(own: Path) -> None:
    set_root(own, "elsewhere/data", "elsewhere/runs")
    with pytest.raises(DataError, match=r"The data set of the run one is not in elsewhere/data: start `hmgpu app`"):
        OpenRun(own)


def test_another_data_set_is_refused(own: Path, opened: OpenRun, tmp_path: Path) -> None:
    data = shutil.copytree(opened.store.root, tmp_path / "other", ignore=shutil.ignore_patterns("images"))
    file = data / opened.store.manifest.table("articles")
    table = pl.read_parquet(file)
    table.with_columns(article_id=pl.col("article_id").reverse()).write_parquet(file)
    set_root(own, str(data), "runs")
    with pytest.raises(DataError, match=r"The data set in .*other is not the one that the run one was made from"):
        OpenRun(own)


def test_an_unfinished_run_is_refused(own: Path) -> None:
    shutil.rmtree(own / "steps" / "submit")
    with pytest.raises(RunError, match=re.escape(f"{own} is not a finished run")):
        OpenRun(own)
