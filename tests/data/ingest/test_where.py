"""`data.where` chooses the rows of the transactions that are read."""

import csv

import polars as pl
import pytest
from pydantic import ValidationError
from small_world import SmallShop, to_csv

from hmgpu.core.errors import DataError
from hmgpu.data.ingest import append, ingest


def with_invoices(shop: SmallShop) -> list[list[str]]:
    """Give every row an invoice; every fourth begins with C and the tenth has none."""
    header, *rows = shop.read("transactions")
    marked = [[*row, f"{'C' if number % 4 == 0 else ''}{number}"] for number, row in enumerate(rows)]
    marked[9][-1] = ""
    shop.write("transactions", [[*header, "Invoice No"], *marked])
    return marked


def test_rows_are_left_out_and_counted(shop: SmallShop) -> None:
    with_invoices(shop)
    where = "\"Invoice No\" NOT LIKE 'C%' AND TRY_CAST(sales_channel_id AS INT) < 3"
    summary = ingest(shop.settings(where=where))
    assert (summary.rows, summary.bad_rows) == (29, {})
    assert summary.left_out == {"for which data.where is not true": 11}
    assert "left out: 11 rows, for which data.where is not true" in str(summary)
    assert ingest(shop.settings(where=where)).action == "already there"
    with pytest.raises(DataError, match="--replace"):
        ingest(shop.settings())
    with pytest.raises(DataError, match=r"another `data\.where`"):
        append(shop.settings(), shop.file("transactions"))


def test_a_row_that_is_left_out_is_not_checked_and_lines_stay_right(shop: SmallShop) -> None:
    rows = with_invoices(shop)
    rows[4][0], rows[6][0] = "refund", "2020-9x"
    shop.write("transactions", [[*shop.read("transactions")[0]], *rows])
    summary = ingest(shop.settings(where="\"Invoice No\" NOT LIKE 'C%'"))
    assert summary.bad_rows == {"bad date": 1}
    with summary.quarantine[0].open(newline="", encoding="utf-8") as file:
        (bad,) = csv.DictReader(file)
    assert (bad["line"], bad["text"]) == ("8", to_csv([rows[6]]).decode().strip())


def test_the_same_rows_of_parquet(shop: SmallShop) -> None:
    with_invoices(shop)
    path = shop.file("transactions")
    pl.read_csv(path).with_columns(pl.col("sales_channel_id").cast(pl.Float64)).write_parquet(
        path.with_suffix(".parquet")
    )
    path.unlink()
    assert ingest(shop.settings(where="sales_channel_id = '1' OR sales_channel_id = '2'")).rows == 40


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("Invoice <> 'x'", r"no column 'Invoice' .*`data\.where`"),
        ("price > 0", r"`data\.where` \(price > 0\).*TRY_CAST"),
        ("price || 'x'", r"neither true nor false"),
        ("price = 'x'", r"true for none of the 40 rows"),
    ],
)
def test_a_condition_that_can_not_be_meant_is_refused(shop: SmallShop, where: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        ingest(shop.settings(where=where))
    assert not shop.root.exists()


@pytest.mark.parametrize("where", ["price >", "1 = 1", ""])
def test_what_is_no_condition_is_refused_in_the_config(shop: SmallShop, where: str) -> None:
    with pytest.raises(ValidationError, match="where"):
        shop.settings(where=where)
