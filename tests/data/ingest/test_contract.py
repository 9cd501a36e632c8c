"""Each check on its own: which values pass, in which dtype, and the first reason of the others."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from small_world import article_id, customer_id

from hmgpu.data.ingest.contract import Checked, Contract
from hmgpu.data.ingest.rows import BAD_SCHEMA, Rows
from hmgpu.data.settings import DataSettings
from hmgpu.data.tables import QUANTITY, TABLES

SETTINGS = DataSettings(raw=Path("raw"), root=Path("data"))


def check(table: Any, column: str, values: list[str | None], settings: DataSettings = SETTINGS) -> Checked:
    """Check one column of values."""
    frame = pl.DataFrame({column: values}, schema={column: pl.String})
    rows = Rows(
        frame, np.arange(2, 2 + len(values)), BAD_SCHEMA.to_frame(), lambda chosen: [f"row {n}" for n in chosen]
    )
    (named,) = [replace(each, raw=column.upper()) for each in (*TABLES[table], QUANTITY) if each.name == column]
    return Contract([named], settings).check(rows)


@pytest.mark.parametrize(
    ("table", "column", "good", "kept", "dtype"),
    [
        ("transactions", "day", ["1970-01-01", "2020-09-22"], [0, 18527], pl.Int32),
        ("transactions", "price", ["0", "0.0508305084745762", "1e-1"], [0, 2999, 5900], pl.Int32),
        ("transactions", "channel", ["1", "2"], [0, 1], pl.Int8),
        ("transactions", "article", [article_id(1)], [article_id(1)], pl.String),
        ("customers", "customer", [customer_id(1)], [customer_id(1)], pl.String),
        ("customers", "age", ["21.0", "0", "120", "36.7", None], [21, 0, 120, 36, None], pl.Int16),
        ("customers", "fn", ["1.0", "1", "0", "0.0", None], [1, 1, 0, 0, 0], pl.Int8),
        ("customers", "club", ["ACTIVE", None], ["ACTIVE", None], pl.String),
        ("articles", "description", ["a, b", None], ["a, b", None], pl.String),
    ],
)
def test_good_values(table: str, column: str, good: list[str | None], kept: list[object], dtype: pl.DataType) -> None:
    checked = check(table, column, good)
    assert checked.bad.is_empty()
    assert checked.frame[column].to_list() == kept
    assert checked.frame[column].dtype == dtype


def test_every_multiple_of_the_price_unit_is_exact() -> None:
    units = np.random.default_rng(0).integers(0, 2**31 - 1, 2000).tolist()
    checked = check("transactions", "price", [repr(unit / 59000) for unit in units])
    assert checked.frame["price"].to_list() == units
    assert checked.rounded == 0


@pytest.mark.parametrize(
    ("unit", "text", "kept"), [("0.01", "12.34", 1234), ("1/3", "2", 6), ("5", "15", 3), ("0.05", "9.95", 199)]
)
def test_other_price_units(unit: str, text: str, kept: int) -> None:
    checked = check("transactions", "price", [text], SETTINGS.model_copy(update={"price_unit": unit}))
    assert (checked.frame["price"].item(), checked.rounded) == (kept, 0)


def test_a_price_halfway_is_rounded_up_and_counted() -> None:
    checked = check(
        "transactions", "price", ["0.125", "0.135", "0.13"], SETTINGS.model_copy(update={"price_unit": "0.01"})
    )
    assert (checked.frame["price"].to_list(), checked.rounded) == ([13, 14, 13], 2)


def test_first_reason_with_line_column_and_text() -> None:
    frame = pl.DataFrame({"day": ["2020-09-01", "x", "2020-09-01"], "price": ["0", "-1", "-1"]})
    rows = Rows(frame, np.array([2, 3, 9]), BAD_SCHEMA.to_frame(), lambda chosen: [f"row {n}" for n in chosen])
    checked = Contract([each for each in TABLES["transactions"] if each.name in frame.columns], SETTINGS).check(rows)
    assert checked.bad.rows() == [(3, "t_dat", "bad date", "row 1"), (9, "price", "negative price", "row 2")]
    again = checked.reject([(pl.col("price") == 0, "price", "free")])
    assert again.frame.is_empty()
    assert again.bad.rows()[-1] == (2, "price", "free", "row 0")


@pytest.mark.parametrize(
    "given",
    [{"article_pattern": "["}, {"customer_pattern": "(?=a)a"}, {"date_format": "%H"}, {"date_format": "%Q"},
     {"channels": ()}, {"channels": ("1", "1")}, {"price_unit": "0"}],
)  # fmt: skip
def test_settings_that_can_not_work(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(given))):
        DataSettings.model_validate({"raw": "raw", "root": "data"} | given)


def test_a_day_with_its_hour() -> None:
    settings = DataSettings(raw=Path("raw"), root=Path("data"), date_format="%d/%m/%Y %H:%M")
    assert check("transactions", "day", ["22/09/2020 23:59"], settings).frame["day"].item() == 18527
