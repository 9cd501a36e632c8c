"""Frames become raw files with every column that the settings read."""

import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from hmgpu.core.errors import DataError
from hmgpu.data.frames import write_raw
from hmgpu.data.ingest import ingest
from hmgpu.data.manifest import Manifest
from hmgpu.data.settings import DataSettings

SALES = pl.DataFrame(
    {
        "t_dat": [datetime.date(2020, 9, day) for day in (7, 8, 9, 10)],
        "customer_id": ["a", "b", "a", "b"],
        "article_id": ["x", "y", "x", "y"],
        "pieces": [2, 1, -1, 4],
        "title": ["coat", "hat", "coat", "hat"],
        "country": ["SE", "SE", "SE", "DE"],
    }
)
GIVEN: dict[str, Any] = {
    "article_pattern": ".+",
    "customer_pattern": ".+",
    "columns": {"transactions": {"quantity": "pieces"}, "articles": {"name": "title"}},
    "where": "country = 'SE'",
}


def test_quantities_names_and_the_columns_of_where_are_written(tmp_path: Path) -> None:
    settings = DataSettings(raw=tmp_path / "raw", root=tmp_path / "data", **GIVEN)
    found = write_raw({"transactions": SALES, "articles": None, "customers": None}, settings)
    files = {key.rpartition(".")[2]: name for key, name in found.items() if key.startswith("data.files.")}
    columns = {"transactions": found["data.columns.transactions"], "articles": GIVEN["columns"]["articles"]}
    summary = ingest(DataSettings(raw=settings.raw, root=settings.root, **GIVEN | {"files": files, "columns": columns}))
    assert (summary.rows, summary.left_out) == (
        3,
        {"for which data.where is not true": 1, "returns, which took back a purchase": 1},
    )
    articles = pl.read_parquet(settings.root / Manifest.read(settings.root).table("articles"))
    assert articles["name"].to_list() == ["coat", "hat"]


def test_a_column_that_the_config_names_must_be_in_the_frame(tmp_path: Path) -> None:
    settings = DataSettings(raw=tmp_path / "raw", root=tmp_path / "data", **GIVEN)
    with pytest.raises(DataError, match="no column 'pieces'"):
        write_raw({"transactions": SALES.drop("pieces"), "articles": None, "customers": None}, settings)
