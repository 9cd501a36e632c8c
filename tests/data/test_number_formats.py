"""Numbers in other countries' notation are read exactly, and others never taken for them."""

import polars as pl
import pytest

from hmgpu.data.number_formats import NumberFormat


def plain(decimal: str, thousands: str | None, *texts: str | None) -> list[float | None]:
    number = NumberFormat(decimal, thousands).plain(pl.col("text")).cast(pl.Float64, strict=False)
    return pl.DataFrame({"text": texts}, schema={"text": pl.String}).select(number).to_series().to_list()


@pytest.mark.parametrize(
    ("decimal", "thousands", "text", "value"),
    [
        (".", None, "1234.5", 1234.5),
        (",", None, "1234,5", 1234.5),
        (",", None, "-0,05e1", -0.5),
        (",", None, ",5", 0.5),
        (",", ".", "1.234.567,89", 1234567.89),
        (",", ".", "12", 12.0),
        (".", ",", "1,234.5", 1234.5),
        (",", " ", "1\u202f234,5", 1234.5),
        (",", " ", "1\u00a0234,5", 1234.5),
        (".", "'", "1\u2019234.5", 1234.5),
        (".", "'", "1'234", 1234.0),
    ],
)
def test_a_number_in_its_notation(decimal: str, thousands: str | None, text: str, value: float) -> None:
    assert plain(decimal, thousands, text, None) == [value, None]


@pytest.mark.parametrize(
    ("decimal", "thousands", "text"),
    [(",", None, "12.50"), (",", ".", "12.50"), (",", ".", "1.23,4"), (".", ",", "1,23.4"), (",", None, "1.234,5"),
     (",", " ", "1  234"), (",", ".", "free"), (",", None, "inf"), (",", None, "nan"), (",", None, "-")],
)  # fmt: skip
def test_another_notation_is_no_number(decimal: str, thousands: str | None, text: str) -> None:
    assert plain(decimal, thousands, text) == [None]
