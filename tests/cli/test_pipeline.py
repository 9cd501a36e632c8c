"""The last lines of a run."""

import json
from pathlib import Path

import polars as pl
import pytest

from hmgpu.cli.pipeline import ending


@pytest.fixture
def current(tmp_path: Path) -> Path:
    run = tmp_path / "2020-09-22-0123abcd"
    run.mkdir()
    methods = {"own_past": 0.5, "ranker": 1.0}
    pl.DataFrame({"customer": range(40), **methods}).write_parquet(run / "precisions.parquet")
    (run / "metrics.json").write_text(json.dumps({"week": "2020-09-16", "map_at_12": methods}))
    (tmp_path / "current").symlink_to(run.name)
    return tmp_path / "current"


def test_parts_that_left_themselves_out_are_named_in_a_line(current: Path) -> None:
    reasons = {"retrievers.als": "it needs implicit; …", "features.price_fit": "the data has no price"}
    (current / "manifest.json").write_text(json.dumps({"left_out": reasons}))
    found = ending(current)
    (current / "manifest.json").write_text(json.dumps({"left_out": {}}))
    usual = ending(current)
    assert usual[0].startswith("MAP@12 is ")
    line = "left out: retrievers.als, features.price_fit (the report says why)"
    assert found == [usual[0], line, *usual[1:]]
