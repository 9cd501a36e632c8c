# ruff: noqa: E501 (a case a line)
"""The same tables in other dialects of CSV are the same data set; where a setting is missing, the error names it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from small_world import SmallShop

from hmgpu.core.errors import DataError
from hmgpu.data.ingest import ingest

MakeShop = Callable[[str], SmallShop]
Change = Callable[[bytes], bytes]
DMY = (rb"2020-(\d\d)-(\d\d)", rb"\2.\1.2020")


def noted(content: bytes) -> bytes:
    """Add a column with line ends, quotes and separators, which nobody reads."""
    header, *rows = content.splitlines()
    notes = [b'"two\nlines, ""here"""', b"x", b'"a\r\nb\n\nc"', b""]
    return b"\n".join([header + b",note", *(row + b"," + notes[number % 4] for number, row in enumerate(rows))]) + b"\n"


FORMS: dict[str, tuple[Change, dict[str, Any]]] = {
    "semicolons": (lambda old: old.replace(b",", b";"), {}),
    "tabs": (lambda old: old.replace(b",", b"\t"), {}),
    "bars": (lambda old: old.replace(b",", b"|"), {}),
    "another character": (lambda old: old.replace(b",", b"~"), {"separator": "~"}),
    "Excel's hint": (lambda old: b"sep=;\r\n" + old.replace(b",", b";"), {}),
    "two marks": (lambda old: b"\xef\xbb\xbf\xef\xbb\xbf" + old, {}),
    "a mark in quotes": (lambda old: b'"\xef\xbb\xbft_dat"' + old[5:], {}),
    "blanks in the header": (lambda old: b"t_dat , customer_id,article_id\xc2\xa0, price,sales_channel_id" + old[old.index(b"\n") :], {}),
    "UTF-16": (lambda old: old.decode().encode("utf-16"), {}),
    "UTF-32": (lambda old: old.decode().encode("utf-32"), {}),
    "line ends in a column that isn't read": (noted, {}),
    "line ends, semicolons and UTF-16": (lambda old: noted(old).replace(b",", b";").decode().encode("utf-16"), {}),
    "a decimal comma": (lambda old: old.replace(b",", b";").replace(b";0.", b";0,"), {"decimal": ","}),
    "days with dots": (lambda old: re.sub(*DMY, old), {"date_format": "%d.%m.%Y"}),
    "days with times and offsets": (lambda old: re.sub(rb"(2020-\d\d-\d\d)", rb"\1T23:30:00+02:00", old), {"date_format": "%Y-%m-%dT%H:%M:%S%z"}),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_another_dialect_is_the_same_data(make_shop: MakeShop, form: str) -> None:
    change, given = FORMS[form]
    plain, other = make_shop("plain"), make_shop("other")
    ingest(plain.settings(**{key: value for key, value in given.items() if key == "files"}))
    path = other.file("transactions")
    path.write_bytes(change(path.read_bytes()))
    assert ingest(other.settings(**given)).bad_rows == {}
    assert other.purchases().equals(plain.purchases())


def test_text_of_another_encoding(shop: SmallShop) -> None:
    path = shop.file("articles")
    path.write_bytes(path.read_bytes().replace(b"plain", "Größe".encode("cp1252")))
    assert ingest(shop.settings(encoding="windows-1252")).bad_rows == {}
    assert shop.settings(encoding="windows-1252").encoding == "cp1252"


def test_a_byte_that_the_encoding_has_not_costs_its_row(shop: SmallShop) -> None:
    path = shop.file("articles")
    path.write_bytes(path.read_bytes() + path.read_bytes().splitlines(keepends=True)[2].replace(b"name", b"n\x81me", 1))
    assert ingest(shop.settings(encoding="cp1252")).bad_rows == {"not in data.encoding": 1}


# what is changed, and what the error names
NAMED: dict[str, tuple[str, Change, str]] = {
    "days": ("transactions", lambda old: re.sub(*DMY, old), r"'07\.09\.2020' is not written as `data\.date_format` '%Y-%m-%d' says, '%d\.%m\.%Y' would fit"),
    "times": ("transactions", lambda old: re.sub(rb"(2020-\d\d-\d\d)", rb"\1 10:15", old), r"'2020-09-07 10:15' is .*'%Y-%m-%d %H:%M' would fit"),
    "days without zeros": ("transactions", lambda old: re.sub(rb"2020-0?(\d+)-0?(\d+)", rb"2020-\1-\2", old), r"'2020-9-7' is .*'%Y-%-m-%-d' would fit"),
    "prices": ("transactions", lambda old: old.replace(b",", b";").replace(b";0.", b";1.000,"), r"'1\.000,0\d*' is not a number with `data\.decimal: '\.'`; `data\.decimal: ','` and `data\.thousands: '\.'` would fit"),
    "ids": ("transactions", lambda old: old.replace(b",0000", b","), r"'00\d{4}' is not what `data\.article_pattern` '\\d\{10\}' describes"),
    "channels": ("transactions", lambda old: re.sub(rb",[12]\n", b",web\n", old), r"`data\.channels` lists 1, 2, and not 'web'"),
    "encoding": ("articles", lambda old: old.replace(b"plain", b"Gr\xf6\xdfe"), r"set `data\.encoding: cp1252`"),
    "encoding of the header": ("articles", lambda old: b"Gr\xf6\xdfe," + old, r"not text in UTF-8: set `data\.encoding: cp1252`"),
    "separator": ("transactions", lambda old: old.replace(b",", b"~"), r"has one column, 't_dat~customer_id.*set `data\.separator`"),
}  # fmt: skip


@pytest.mark.parametrize("case", NAMED)
def test_the_error_names_the_value_and_what_would_fit(shop: SmallShop, case: str) -> None:
    table, change, why = NAMED[case]
    shop.file(table).write_bytes(change(shop.file(table).read_bytes()))
    with pytest.raises(DataError, match=why) as raised:
        ingest(shop.settings())
    assert str(raised.value).endswith(".")
    assert "\n" not in str(raised.value)


def test_one_row_is_one_row(shop: SmallShop) -> None:
    rows = shop.read("transactions")
    rows[1][0] = "x"
    shop.write("transactions", rows[:2])
    with pytest.raises(DataError, match=r"1 of the 1 row of .*\(1 row, first"):
        ingest(shop.settings())
