"""Examples on disk: which of their columns are numbers and which are codes."""

from pathlib import Path

import polars as pl

from hmgpu.rankers import Examples


def test_keys_and_label_describe_nothing_and_codes_are_no_numbers(tmp_path: Path):
    columns = ["customer", "article", "own_rank", "article_index_code", "label", "price", "customer_club_code"]
    pl.DataFrame({name: [1] for name in columns}).write_parquet(tmp_path / "a.parquet")
    examples = Examples((tmp_path / "a.parquet",))
    assert examples.features() == ["own_rank", "price"]
    assert examples.codes() == ["article_index_code", "customer_club_code"]
