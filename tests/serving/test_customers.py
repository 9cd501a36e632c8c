"""The customers that are asked for: ids and files of ids, and every way in which they can be wrong."""

from pathlib import Path

import polars as pl
import pytest
from small_world import customer_id

from hmgpu.core.errors import DataError
from hmgpu.serving.customers import customers_asked

PATTERN = "[0-9a-f]{64}"
IDS = [customer_id(number) for number in range(4)]


def asked(*what: object) -> list[str]:
    return customers_asked(map(str, what), PATTERN)


def write(file: Path, text: str) -> Path:
    file.write_bytes(text.encode())
    return file


def test_ids_come_in_the_order_in_which_they_were_asked_for_and_once(tmp_path):
    file = write(tmp_path / "ids.txt", f"{IDS[2]}\n{IDS[3]}\n{IDS[0]}\n")
    assert asked(IDS[3], file, IDS[1], IDS[3]) == [IDS[3], IDS[2], IDS[0], IDS[1]]


def test_ids_are_cleaned_as_those_of_the_data_were():
    assert customers_asked(["17850.0", "17850", " 17851"], r"\d{5}", clean=["trim", "whole"]) == ["17850", "17851"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lines", "{0}\n{1}\n"),
        ("no last line's end", "{0}\n{1}"),
        ("windows.txt", "\ufeff{0}\r\n\r\n  {1} \r\n"),
        ("one column", "customer_id\n{0}\n{1}\n"),
        ("several.csv", 'day,customer_id,note\n1,{0},\n2,{1},"a, b"\n'),
        ("spaces.CSV", " customer_id , note\n {0} ,x\n{1},y\n"),
    ],
)
def test_text(name, text, tmp_path):
    assert asked(write(tmp_path / name, text.format(*IDS))) == IDS[:2]


def test_parquet_by_what_it_is_and_not_by_name(tmp_path):
    file = tmp_path / "ids.csv"
    pl.DataFrame({"other": [1, 2], "customer_id": IDS[:2]}).write_parquet(file)
    assert asked(file) == IDS[:2]


def test_numbers_in_parquet_are_taken_as_text(tmp_path):
    pl.DataFrame({"customer_id": [12, 7]}).write_parquet(tmp_path / "ids")
    assert customers_asked([str(tmp_path / "ids")], r"\d+") == ["12", "7"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty", "", "{file} holds no customer ids: write one per line"),
        ("blank", "\n  \n", "{file} holds no customer ids"),
        ("only a header.csv", "customer_id,day\n", "{file} holds no customer ids"),
        ("wrong", "{0}\n\nabc\n", "{file}, line 3: 'abc' is not a customer id: one matches [0-9a-f]{64}"),
        ("longer", "{0}\n{1}0\n", "{file}, line 2: '{1}0' is not a customer id"),
        ("two a line", "{0}\n{1},{2}\n", "{file}, line 2: '{1},{2}' is not a customer id"),
        ("short.csv", "day,customer_id\n1,{0}\n2\n", "{file}, line 3: '' is not a customer id"),
        ("other.csv", "day,customer\n1,{0}\n", "{file} has no column customer_id; its first line has day, customer."),
        ("nameless.csv", "{0}\n", "{file} has no column customer_id; its first line has {0}."),
        ("quote", '{0}\n"{1}\n', "{file}, line 2 is not CSV (unexpected end of data)."),
        ("picture", b"\x89PNG\r\n\x1a\n\0\0", "{file} is neither text in UTF-8 nor Parquet"),
        ("null", b"abc\0def", "{file} is neither text in UTF-8 nor Parquet"),
        ("torn", b"PAR1\0\0\0", "{file} can't be read as Parquet"),
    ],
)
def test_a_file_that_can_not_be_used_is_named(name, content, says, tmp_path):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else put(content).encode())
    with pytest.raises(DataError) as error:
        asked(file)
    assert put(says).replace("{file}", str(file)) in str(error.value)


def put(text: str) -> str:
    for place, id_ in enumerate(IDS):
        text = text.replace(f"{{{place}}}", id_)
    return text


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"customer": IDS}, r"no column customer_id; it has customer\.$"),
        ({"customer_id": [1.5]}, "a column customer_id of Float64: ids are text"),
        ({"customer_id": [IDS[0], None]}, "row 2: '' is not a customer id"),
        ({"customer_id": []}, "a column customer_id of Null|holds no customer ids"),
    ],
)
def test_a_table_that_can_not_be_used(columns, says, tmp_path):
    pl.DataFrame(columns).write_parquet(tmp_path / "ids.parquet")
    with pytest.raises(DataError, match=says):
        asked(tmp_path / "ids.parquet")


def test_what_is_neither_file_nor_id(tmp_path):
    with pytest.raises(DataError, match="'nobody' is neither a file nor a customer id"):
        asked(IDS[0], "nobody")
    with pytest.raises(DataError, match="is neither a file nor a customer id"):
        asked("x" * 5000)
    with pytest.raises(DataError, match=r"^A customer id is empty"):
        asked("")
    with pytest.raises(DataError, match=r"is a folder: name a file"):
        asked(tmp_path)


def test_an_id_may_be_as_long_as_no_file_name_is():
    assert customers_asked(["7" * 5000], r"\d+") == ["7" * 5000]
