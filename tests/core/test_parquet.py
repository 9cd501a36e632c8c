"""Files are read by their exact names, whatever letters these have."""

from pathlib import Path

import polars as pl
import pytest

from hmgpu.core.parquet import read_table, scan_table, schema_of

TABLE = pl.DataFrame({"customer": [2, 1], "article": ["b", "a"]})


@pytest.mark.parametrize("name", ["a[1]", "a*", "a?b", "**", "{a,b}", "%20", "ü 😀"])
def test_letters_that_patterns_are_made_of_are_letters(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    file = tmp_path / name / f"{name}.parquet"
    TABLE.write_parquet(file)
    TABLE.reverse().write_parquet(tmp_path / "a1")  # what the first name would match as a pattern
    assert read_table(file).equals(TABLE)
    assert read_table(file, ["article"]).columns == ["article"]
    assert scan_table(file).collect().equals(TABLE)
    assert scan_table([file, file]).collect().equals(pl.concat([TABLE, TABLE]))
    assert schema_of(file) == TABLE.schema
