"""The first rows of a file tell how it is written."""

from pathlib import Path

import polars as pl
import pytest

from hmgpu.data.date_formats import DateFormat
from hmgpu.data.ingest.guess import Look, date_formats, encoding_of, look, number_formats, separator_of, split_header
from hmgpu.data.ingest.rawfiles import open_raw
from hmgpu.data.number_formats import NumberFormat


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("Größe".encode(), "utf-8"),
        ("Größe".encode()[:-1] + b"\xc3", "utf-8"),  # cut off within a character
        ("Größe €".encode("cp1252"), "cp1252"),
        ("Gr\x81".encode("latin-1"), "latin-1"),
        ("размер".encode("cp1251"), "cp1251"),
        ("a;b".encode("utf-16"), "utf-16"),
        ("a;b".encode("utf-16-le"), "utf-16-le"),
        ("a;b".encode("utf-16-be"), "utf-16-be"),
        (b"", "utf-8"),
    ],
)
def test_encodings(data: bytes, encoding: str) -> None:
    assert encoding_of(data) == encoding


@pytest.mark.parametrize(
    ("header", "wanted", "given", "separator"),
    [
        ("a,b,c", (), None, ","),
        ("a;b;c", (), None, ";"),
        ("a\tb\tc", (), None, "\t"),
        ("a|b|c", (), None, "|"),
        ("a;b, c, d, e", ("a", "b, c, d, e"), None, ";"),
        ("only", ("only",), None, ","),
        ("a~b", ("a", "b"), "~", "~"),
        ("a,b", ("a", "b"), "~", ","),
        ('"a;b",c', ("c",), None, ","),
    ],
)
def test_separators(header: str, wanted: tuple[str, ...], given: str | None, separator: str) -> None:
    assert separator_of(header, wanted, given) == separator


def test_names_lose_blanks_and_marks() -> None:
    assert split_header('"\ufeffid", price\u00a0, "a, b"', ",") == ["id", "price", "a, b"]
    assert split_header('"open', ",") is None


@pytest.mark.parametrize(
    ("values", "formats"),
    [
        (["0.05", "12", None], [NumberFormat(".")]),
        (["0,05", "12"], [NumberFormat(",")]),
        (["1.234,50", "12,00"], [NumberFormat(",", ".")]),
        (["1,234.50", "12.00"], [NumberFormat(".", ",")]),
        (["1 234,50"], [NumberFormat(",", " ")]),
        (["12.50 €"], []),
        ([None], []),
    ],
)
def test_numbers(values: list[str | None], formats: list[NumberFormat]) -> None:
    assert number_formats(values) == formats


def test_numbers_that_may_be_either() -> None:
    assert number_formats(["1,234"]) == [NumberFormat(".", ","), NumberFormat(",", None)]


@pytest.mark.parametrize(
    ("values", "formats"),
    [
        (["2020-09-07"], ["%Y-%m-%d"]),
        (["07.09.2020", None], ["%d.%m.%Y"]),
        (["07/09/2020"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["07/09/2020", "22/09/2020"], ["%d/%m/%Y"]),
        (["09/22/2020 10:15 PM"], ["%m/%d/%Y %I:%M %p"]),
        (["7.9.2020", "22.9.2020"], ["%-d.%-m.%Y"]),
        (["20200907"], ["%Y%m%d"]),
        (["07-Sep-2020"], ["%d-%b-%Y"]),
        (["2020-09-07 10:15:00"], ["%Y-%m-%d %H:%M:%S"]),
        (["2020-09-07T10:15:00.123Z"], ["%Y-%m-%dT%H:%M:%S%.f%z"]),
        (["2020-09-07 10:15:00+02:00"], ["%Y-%m-%d %H:%M:%S%z"]),
        (["1/12/2010 8:26"], ["%-d/%-m/%Y %-H:%M", "%-m/%-d/%Y %-H:%M"]),
        (["soon"], []),
        ([], []),
    ],
)
def test_days(values: list[str | None], formats: list[str]) -> None:
    assert date_formats(values) == formats
    assert all(DateFormat(codes).is_complete() for codes in formats)


def test_a_look_at_a_file(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes("Kunde;Größe\n1;weit\n2;\n3;zu;viele\n".encode("cp1252"))
    found = look(open_raw("transactions", path))
    assert found == Look({"Kunde": ["1", "2"], "Größe": ["weit", None]}, "cp1252", ";")


def test_a_look_at_parquet(tmp_path: Path) -> None:
    path = tmp_path / "sales.parquet"
    pl.DataFrame({"id": [1, None], "list": [[1], [2]]}).write_parquet(path)
    assert look(open_raw("transactions", path)) == Look({"id": ["1", None], "list": []}, None, None)
