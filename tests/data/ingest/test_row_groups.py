"""A week file holds neighbouring customers together, so that those of a shard are read without the others."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet
import pytest
from small_world import SmallShop

from hmgpu.data.ingest import append, ingest, row_groups
from hmgpu.data.manifest import Manifest
from hmgpu.data.store import Store

WEEK = "transactions/week=2020-09-02/bought-00000000.parquet"


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> int:
    """Row groups of a few rows."""
    monkeypatch.setattr(row_groups, "GROUP", 4)
    return 4


def groups_of(file: Path) -> list[pl.DataFrame]:
    """The row groups of a file; asserts that the footer says which customers each has."""
    parts = pyarrow.parquet.ParquetFile(file)
    groups = [pl.DataFrame(parts.read_row_group(number)) for number in range(parts.num_row_groups)]
    for number, group in enumerate(groups):
        told = parts.metadata.row_group(number).column(group.columns.index("customer")).statistics
        assert (told.min, told.max) == (group["customer"].min(), group["customer"].max())
    return groups


def bought(rows: int) -> pl.DataFrame:
    draw = np.random.default_rng(5)
    limits = {"day": 7, "customer": 12, "article": 5, "price": 3}
    return pl.DataFrame({name: draw.integers(0, limit, rows) for name, limit in limits.items()})


def test_a_row_group_holds_neighbouring_customers_in_order_of_days(small_groups: int, tmp_path: Path) -> None:
    rows = bought(42)
    name, entry = row_groups.write_week(tmp_path, rows, WEEK)
    groups = groups_of(tmp_path / name)
    assert (name, entry.rows) == (WEEK, 42)
    assert [group.height for group in groups] == [small_groups] * 10 + [2]
    assert all(group.equals(group.sort(group.columns)) for group in groups)
    assert all(one["customer"].max() <= next_["customer"].min() for one, next_ in pairwise(groups))
    assert pl.concat(groups).sort(pl.all()).equals(rows.sort(pl.all()))


def test_the_same_rows_are_the_same_bytes_in_whatever_order_they_come(small_groups: int, tmp_path: Path) -> None:
    rows = bought(42).with_columns(returned=pl.Series([9, None] * 21, dtype=pl.Int32))
    mixed = rows.sample(fraction=1.0, shuffle=True, seed=2).select(rows.columns[::-1])
    first, second = (row_groups.write_week(tmp_path / str(seed), each, WEEK) for seed, each in enumerate((rows, mixed)))
    assert first == second


def test_ingest_and_append_write_every_week_and_the_customers_so(shop: SmallShop, small_groups: int) -> None:
    ingest(shop.settings())
    week = shop.read("transactions")[:1] + [["2020-09-23", *row[1:]] for row in shop.read("transactions")[1:]]
    path = shop.raw.parent / "week.csv"
    path.write_text("\n".join(",".join(row) for row in week))
    append(shop.settings(), path)
    manifest = Manifest.read(shop.root)
    for name in manifest.files:
        if name.startswith(("transactions/", "customers")):
            groups = groups_of(shop.root / name)
            assert len(groups) == -(-manifest.files[name].rows // small_groups)
            ranges = [(group["customer"].min(), group["customer"].max()) for group in groups]
            assert ranges == sorted(ranges)
            assert all(last <= first for (_, last), (first, _) in pairwise(ranges))


def test_a_shard_reads_none_but_the_row_groups_of_its_customers(shop: SmallShop, small_groups: int) -> None:
    """Other customers' bytes are overwritten, and nobody who asks for some customers notices."""
    ingest(shop.settings())
    store = Store(shop.root)
    history, asked = store.as_of(store.last_day + 1), pl.DataFrame({"customer": [4, 3]}, {"customer": pl.Int32})
    whole = history.of(asked.lazy())
    tables = [plan.collect() for plan in (whole.transactions.sort(pl.all()), whole.customers)]
    spoilt = 0
    for name in store.manifest.files:
        if not name.startswith(("transactions/", "customers")):
            continue
        footer, content = pyarrow.parquet.read_metadata(shop.root / name), bytearray((shop.root / name).read_bytes())
        for group in (footer.row_group(number) for number in range(footer.num_row_groups)):
            columns = [group.column(number) for number in range(group.num_columns)]
            customers = next(column for column in columns if column.path_in_schema == "customer").statistics
            if customers.max < 3 or customers.min > 4:
                start = min(column.dictionary_page_offset or column.data_page_offset for column in columns)
                length = sum(column.total_compressed_size for column in columns)
                content[start : start + length] = b"\xff" * length
                spoilt += 1
        (shop.root / name).write_bytes(content)
    assert spoilt > 3
    own = history.of(asked)
    for engine in ("streaming", "in-memory"):
        assert own.transactions.sort(pl.all()).collect(engine=engine).equals(tables[0])
        assert own.customers.collect(engine=engine).equals(tables[1])
    with pytest.raises(pl.exceptions.ComputeError):
        whole.transactions.collect()
