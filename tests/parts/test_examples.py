"""Examples on disk: which columns are numbers and which are codes, and how they are read part by part."""

import dataclasses
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from hmgpu.parts.examples import Examples

SCHEMA = {"customer": pl.Int64, "row": pl.Int64}


def test_keys_and_label_are_not_features_and_codes_are_not_numbers(tmp_path: Path):
    columns = ["customer", "article", "own_rank", "article_index_code", "label", "price", "customer_club_code"]
    pl.DataFrame({name: [1] for name in columns}).write_parquet(tmp_path / "a.parquet")
    examples = Examples((tmp_path / "a.parquet",))
    assert examples.features() == ["own_rank", "price"]
    assert examples.codes() == ["article_index_code", "customer_club_code"]


def test_early_columns_are_those_that_the_file_lists_or_all(tmp_path: Path):
    row = pl.DataFrame({"customer": [1], "article": [2], "own_rank": [3], "price": [4], "a_code": [5], "label": [1]})
    Examples.write(tmp_path / "listed.parquet", row, early=["customer", "article", "own_rank", "a_code"])
    row.write_parquet(tmp_path / "unlisted.parquet")
    listed, unlisted = (Examples((tmp_path / f"{name}.parquet",), only_early=True) for name in ("listed", "unlisted"))
    assert (listed.features(), listed.codes()) == (["own_rank"], ["a_code"])
    (table,) = listed.tables()
    assert table.columns == ["customer", "article", "label", "own_rank", "a_code"]
    assert unlisted.features() == ["own_rank", "price"]
    assert dataclasses.replace(listed, only_early=False).features() == ["own_rank", "price"]


@given(sizes=st.lists(st.lists(st.integers(1, 9), max_size=8), min_size=1, max_size=4), rows=st.integers(1, 20))
def test_parts_are_small_and_split_no_customer(sizes: list[list[int]], rows: int):
    with TemporaryDirectory() as folder:
        files, wanted = [], []
        for number, file in enumerate(sizes):
            customers = [customer for customer, size in enumerate(file) for _ in range(size)]
            table = pl.DataFrame({"customer": customers, "row": range(len(customers))}, schema=SCHEMA)
            files.append(Path(folder) / f"{number}.parquet")
            table.write_parquet(files[-1])
            wanted.append(table)
        parts = list(Examples(tuple(files)).tables(rows))
        assert all(part.height for part in parts)
        assert pl.concat([pl.DataFrame(schema=SCHEMA), *parts]).equals(pl.concat(wanted))
        # At most the rows asked for and one customer more; no customer is in two parts of a file.
        assert all(part.height < rows + max(map(max, filter(None, sizes))) for part in parts)
        cuts = [(before["customer"][-1], after["customer"][0], after["row"][0]) for before, after in pairwise(parts)]
        assert all(last != first or row == 0 for last, first, row in cuts)


def test_only_customers_with_a_purchase_are_kept(tmp_path: Path):
    table = pl.DataFrame({"customer": [1, 1, 2, 3, 3], "label": [0, 1, 0, 1, 1]})
    for name in ("a", "b"):
        table.with_columns(pl.col("customer") + (name == "b") * 10).write_parquet(tmp_path / f"{name}.parquet")
    examples = Examples((tmp_path / "a.parquet", tmp_path / "b.parquet"))
    assert [part["customer"].to_list() for part in examples.with_purchases()] == [[1, 1, 3, 3], [11, 11, 13, 13]]
    assert examples.customers_with_purchases()["customer"].to_list() == [1, 3, 11, 13]


def test_the_examples_of_some_customers_are_theirs_week_by_week(tmp_path: Path):
    def week(name: str, *customers: int) -> Path:
        rows = {"customer": customers, "article": [0] * len(customers), "label": [1] * len(customers)}
        table = pl.DataFrame({**rows, "late": rows["customer"], "early": rows["customer"]})
        Examples.write(tmp_path / f"{name}.parquet", table, early=["customer", "article", "early"])
        return tmp_path / f"{name}.parquet"

    files = week("a", 1, 2), week("b", 5, 6), week("c", 2, 3)
    some = Examples(files, weeks=(2, 1), lists=((week("l", 2, 3),),)).of(
        pl.DataFrame({"customer": [2, 6, 3]}), tmp_path / "some"
    )
    assert pl.concat(some.tables())["customer"].to_list() == [2, 6, 2, 3]
    assert pl.concat(some.before_last_week().tables())["customer"].to_list() == [2, 6]
    assert pl.concat(some.last_lists().tables())["late"].to_list() == [2, 3]
    assert dataclasses.replace(some, only_early=True).features() == ["early"]
