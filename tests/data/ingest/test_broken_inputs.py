# ruff: noqa: E501 (a case a line)
"""Every broken input leads to a named row in quarantine or to one sentence, and never to a changed data set."""

import csv
import datetime
import gzip
import io
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_world import ARTICLE_RANGE, CUSTOMER_RANGE, SmallShop, customer_id, transactions, tree

from hmgpu.core.errors import DataError
from hmgpu.data.ingest import append, csvrows, ingest
from hmgpu.data.reasons import REASONS

Break = Callable[[SmallShop], object]


def field(table: str, line: int, column: str, value: str) -> Break:
    """Overwrite one field of a line."""

    def broken(shop: SmallShop) -> None:
        rows = shop.read(table)
        rows[line - 1][rows[0].index(column)] = value
        shop.write(table, rows)

    return broken


def line(table: str, number: int, change: Callable[[bytes], bytes]) -> Break:
    """Change one physical line."""

    def broken(shop: SmallShop) -> None:
        lines = shop.file(table).read_bytes().splitlines(keepends=True)
        lines[number - 1] = change(lines[number - 1])
        shop.file(table).write_bytes(b"".join(lines))

    return broken


def extra_customer(column: str, value: str) -> Break:
    """Add a customer who bought nothing: if a buyer were refused, their purchases would be too."""

    def broken(shop: SmallShop) -> None:
        rows = shop.read("customers")
        rows.append([customer_id(77), *rows[1][1:]])
        rows[-1][rows[0].index(column)] = value
        shop.write("customers", rows)

    return broken


def content(table: str, change: Callable[[bytes], bytes]) -> Break:
    """Change the whole content of a raw file."""
    return lambda shop: shop.file(table).write_bytes(change(shop.file(table).read_bytes()))


def packed(table: str, ending: str, pack: Callable[[bytes], bytes]) -> Break:
    """Replace a raw file by a packed one."""

    def broken(shop: SmallShop) -> None:
        path = shop.file(table)
        path.with_name(path.stem + ending).write_bytes(pack(path.read_bytes()))
        path.unlink()

    return broken


def parquet(table: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Break:
    """Replace a raw file by a changed Parquet file."""

    def broken(shop: SmallShop) -> None:
        path = shop.file(table)
        change(pl.read_csv(path, infer_schema=False)).write_parquet(path.with_suffix(".parquet"))
        path.unlink()

    return broken


def zipped(*names: str) -> Callable[[bytes], bytes]:
    """Pack content as a zip with these members."""

    def pack(data: bytes) -> bytes:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name in names:
                archive.writestr(name, data)
        return packed.getvalue()

    return pack


def with_nan(frame: pl.DataFrame) -> pl.DataFrame:
    """Put a NaN into the prices."""
    prices = frame["price"].cast(pl.Float64).to_list()
    prices[4] = float("nan")
    return frame.with_columns(pl.Series("price", prices))


def with_null_day(frame: pl.DataFrame) -> pl.DataFrame:
    """Put a null into the days."""
    days = frame["t_dat"].str.to_date().to_list()
    days[2] = None
    return frame.with_columns(pl.Series("t_dat", days))


T, A, C = "transactions", "articles", "customers"
# (what breaks it, table, line, column, reason): one row goes to quarantine and all others are kept
BAD_ROWS: dict[str, tuple[Break, str, int, str | None, str]] = {
    "day that does not exist": (field(T, 5, "t_dat", "2020-02-30"), T, 5, "t_dat", "bad date"),
    "day in another format": (field(T, 5, "t_dat", "07/09/2020"), T, 5, "t_dat", "bad date"),
    "day without its zeros": (field(T, 5, "t_dat", "2020-9-7"), T, 5, "t_dat", "bad date"),
    "day with text behind": (field(T, 5, "t_dat", "2020-09-07x"), T, 5, "t_dat", "bad date"),
    "no day": (field(T, 5, "t_dat", ""), T, 5, "t_dat", "missing date"),
    "day in the year 20": (field(T, 5, "t_dat", "0020-09-07"), T, 5, "t_dat", "date outside 1970..2099"),
    "day in the year 2920": (field(T, 5, "t_dat", "2920-09-07"), T, 5, "t_dat", "date outside 1970..2099"),
    "no price": (field(T, 6, "price", ""), T, 6, "price", "missing price"),
    "negative price": (field(T, 6, "price", "-0.01"), T, 6, "price", "negative price"),
    "price is text": (field(T, 6, "price", "free"), T, 6, "price", "price is not a number"),
    "price with a decimal comma": (field(T, 6, "price", "0,05"), T, 6, "price", "price is not a number"),
    "price nan": (field(T, 6, "price", "nan"), T, 6, "price", "price is not a number"),
    "price infinite": (field(T, 6, "price", "inf"), T, 6, "price", "price is not a number"),
    "price beyond int32": (field(T, 6, "price", "36400"), T, 6, "price", "price too large"),
    "price beyond everything": (field(T, 6, "price", "1e300"), T, 6, "price", "price too large"),
    "price with a blank": (field(T, 6, "price", " 0.05"), T, 6, "price", "price is not a number"),
    "article lost its zeros": (field(T, 7, "article_id", "1001"), T, 7, "article_id", "malformed article id"),
    "article in quotes twice": (field(T, 7, "article_id", '"0000001001"'), T, 7, "article_id", "malformed article id"),
    "no article": (field(T, 7, "article_id", ""), T, 7, "article_id", "missing article id"),
    "unknown article": (field(T, 7, "article_id", "9999999999"), T, 7, "article_id", "unknown article"),
    "customer in capitals": (field(T, 8, "customer_id", "A" * 64), T, 8, "customer_id", "malformed customer id"),
    "customer too short": (field(T, 8, "customer_id", "a" * 63), T, 8, "customer_id", "malformed customer id"),
    "no customer": (field(T, 8, "customer_id", ""), T, 8, "customer_id", "missing customer id"),
    "unknown customer": (field(T, 8, "customer_id", customer_id(99)), T, 8, "customer_id", "unknown customer"),
    "unknown channel": (field(T, 9, "sales_channel_id", "3"), T, 9, "sales_channel_id", "unknown channel"),
    "no channel": (field(T, 9, "sales_channel_id", ""), T, 9, "sales_channel_id", "missing channel"),
    "a field too few": (line(T, 10, lambda old: old[: old.rindex(b",")] + b"\n"), T, 10, None, "wrong field count"),
    "a field too many": (line(T, 10, lambda old: old[:-1] + b",9\n"), T, 10, None, "wrong field count"),
    "cut off in the last line": (content(T, lambda old: old[:-30]), T, 41, None, "wrong field count"),
    "another text file in between": (line(T, 10, lambda old: b"# exported by x\n" + old), T, 10, None, "wrong field count"),
    "a line of blanks": (line(T, 10, lambda old: b"   \n" + old), T, 10, None, "wrong field count"),
    "quote left open": (line(T, 11, lambda old: old[:11] + b'"' + old[11:]), T, 11, None, "unclosed quote"),
    "quote left open in the last line": (line(T, 41, lambda old: old[:-2] + b'"1\n'), T, 41, None, "unclosed quote"),
    "quote inside a value": (line(T, 11, lambda old: old[:15] + b'"' + old[15:]), T, 11, "customer_id", "malformed customer id"),
    "not UTF-8": (line(T, 12, lambda old: old[:15] + b"\xff" + old[16:]), T, 12, "customer_id", "not UTF-8"),
    "not UTF-8 and a field too few": (line(T, 12, lambda old: b"\xff\xfe\n"), T, 12, None, "wrong field count"),
    "NUL bytes for a line": (line(T, 12, lambda old: b"\0" * 40 + b"\n"), T, 12, None, "wrong field count"),
    "NUL byte in an id": (line(T, 12, lambda old: old[:15] + b"\0" + old[16:]), T, 12, "customer_id", "malformed customer id"),
    "carriage return in a line": (line(T, 13, lambda old: old[:30] + b"\r" + old[30:]), T, 13, None, "bare carriage return"),
    "bad line after blank lines": (content(T, lambda old: old.replace(b"\n", b"\n\n\r\n", 2) + b"x\n"), T, 46, None, "wrong field count"),
    "age is text": (extra_customer("age", "young"), C, 8, "age", "age is not a number in 0..120"),
    "age negative": (extra_customer("age", "-1.0"), C, 8, "age", "age is not a number in 0..120"),
    "age of the year of birth": (extra_customer("age", "1984"), C, 8, "age", "age is not a number in 0..120"),
    "age nan": (extra_customer("age", "nan"), C, 8, "age", "age is not a number in 0..120"),
    "flag is yes": (extra_customer("FN", "yes"), C, 8, "FN", "flag is not empty, 0 or 1"),
    "flag is 2": (extra_customer("Active", "2.0"), C, 8, "Active", "flag is not empty, 0 or 1"),
    "customer twice": (content(C, lambda old: old + old.splitlines(keepends=True)[2]), C, 8, "customer_id", "duplicate customer id"),
    "article twice": (content(A, lambda old: old + old.splitlines(keepends=True)[2]), A, 10, "article_id", "duplicate article id"),
    "article's own id malformed": (content(A, lambda old: old + old.splitlines(keepends=True)[2][1:]), A, 10, "article_id", "malformed article id"),
    "article not UTF-8": (content(A, lambda old: old + old.splitlines(keepends=True)[2].replace(b"name", b"n\xe4me", 1)), A, 10, "prod_name", "not UTF-8"),
    "article with a NUL": (content(A, lambda old: old + old.splitlines(keepends=True)[2].replace(b"name", b"n\0me", 1)), A, 10, "prod_name", "NUL character"),
    "article's quote left open at the end": (content(A, lambda old: old + b'0000077077,"open, to the end\n'), A, 10, None, "unclosed quote"),
    "article's quote left open in between": (line(A, 1, lambda old: old + b'0000077077,"open,' + b"," * 22 + b"\n"), A, 2, None, "unclosed quote"),
    "null day in Parquet": (parquet(T, with_null_day), T, 3, "t_dat", "missing date"),
    "nan price in Parquet": (parquet(T, with_nan), T, 5, "price", "missing price"),
}  # fmt: skip

INSERTED = {"another text file in between", "a line of blanks", "bad line after blank lines"}  # no purchase is lost

# (what breaks the input, what the sentence must name)
REFUSED: dict[str, tuple[Break, list[str]]] = {
    "no transactions": (lambda shop: shop.file(T).unlink(), ["transactions_train", "data.files.transactions"]),
    "no raw folder": (lambda shop: shop.raw.rename(shop.raw.with_name("gone")), ["raw"]),
    "transactions empty": (content(T, lambda old: b""), ["transactions_train.csv"]),
    "transactions only blank lines": (content(T, lambda old: b"\n\n\r\n"), ["transactions_train.csv"]),
    "transactions without a row": (content(T, lambda old: old[: old.index(b"\n") + 1]), ["transactions_train.csv"]),
    "articles without a row": (content(A, lambda old: old[: old.index(b"\n") + 1]), ["articles.csv"]),
    "customers without a row": (content(C, lambda old: old[: old.index(b"\n")]), ["customers.csv"]),
    "day column renamed": (line(T, 1, lambda old: old.replace(b"t_dat", b"date")), ["'t_dat'", "data.columns.transactions.day"]),
    "no header": (content(T, lambda old: old[old.index(b"\n") + 1 :]), ["'t_dat'", "data.columns.transactions.day"]),
    "an odd separator": (content(T, lambda old: old.replace(b",", b"~")), ["one column, 't_dat~customer_id~", "data.separator"]),
    "column twice": (line(T, 1, lambda old: old.replace(b"sales_channel_id", b"price")), ["'price'"]),
    "needed column twice": (content(C, lambda old: b"\n".join(row + b"," + row.split(b",")[0] for row in old.splitlines())), ["2 columns 'customer_id'", "data.columns.customers.customer"]),
    "UTF-16 without a mark": (content(T, lambda old: old.decode().encode("utf-16-be")), ["transactions_train.csv", "UTF-8", "`data.encoding: utf-16-be`"]),
    "header not UTF-8": (line(T, 1, lambda old: b"\xff" + old), ["transactions_train.csv", "UTF-8", "`data.encoding: cp1252`"]),
    "header with an open quote": (line(T, 1, lambda old: b'"' + old), ["transactions_train.csv"]),
    "bare carriage returns": (content(T, lambda old: old.replace(b"\n", b"\r")), ["transactions_train.csv", "carriage return"]),
    "a picture": (content(T, lambda old: b"\x89PNG\r\n\x1a\n" + bytes(range(256))), ["transactions_train.csv"]),
    "gzip cut off": (packed(T, ".csv.gz", lambda old: gzip.compress(old)[:-40]), ["transactions_train.csv.gz"]),
    "gzip damaged": (packed(T, ".csv.gz", lambda old: gzip.compress(old)[:60] + b"x" * 20 + gzip.compress(old)[80:]), ["transactions_train.csv.gz"]),
    "gzip that is none": (packed(T, ".csv.gz", lambda old: old), ["transactions_train.csv.gz"]),
    "zip that is none": (packed(T, ".zip", lambda old: old), ["transactions_train.zip"]),
    "zip cut off": (packed(T, ".zip", lambda old: zipped("transactions_train.csv")(old)[:-50]), ["transactions_train.zip"]),
    "zip damaged": (packed(T, ".zip", lambda old: zipped("transactions_train.csv")(old).replace(b"0.0", b"9.9", 1)), ["transactions_train.zip"]),
    "zip with nothing": (packed(T, ".zip", zipped()), ["transactions_train.zip"]),
    "zip with two tables": (packed(T, ".zip", zipped("a.csv", "b.csv")), ["transactions_train.zip"]),
    "Parquet that is none": (packed(A, ".parquet", lambda old: old), ["articles.parquet"]),
    "Parquet of lists": (parquet(A, lambda frame: frame.with_columns(pl.concat_list("section_no"))), ["articles.parquet", "section_no"]),
    "Parquet without a row": (parquet(T, lambda frame: frame.clear()), ["transactions_train.parquet"]),
    "too many bad rows": (content(T, lambda old: old.replace(b"2020-09", b"2020-9x")), ["40 of the 40 rows", "data.max_bad_rows", "bad date", "transactions_train.csv:2", "data.rejected"]),
}  # fmt: skip


def is_one_sentence(error: DataError) -> bool:
    """Whether the error's text is one sentence of sensible length."""
    text = str(error)
    return "\n" not in text and text.endswith(".") and not text.endswith("..") and len(text) < 700


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_bad_row_goes_to_quarantine(shop: SmallShop, case: str) -> None:
    broken, table, number, column, reason = BAD_ROWS[case]
    broken(shop)
    summary = ingest(shop.settings())
    assert summary.bad_rows == {reason: 1}
    (report,) = summary.quarantine
    with report.open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row["file"].split(".")[0] == shop.file(table).stem
    assert (int(row["line"]), row["column"], row["reason"]) == (number, column or "", reason)
    raw = shop.file(table)
    if raw.exists() and "UTF-8" not in case:
        assert row["text"].encode() in raw.read_bytes()
    assert summary.rows == (39 if table == T and case not in INSERTED else 40)


@pytest.mark.parametrize("case", BAD_ROWS)
def test_one_bad_row_may_already_be_too_many(shop: SmallShop, case: str) -> None:
    BAD_ROWS[case][0](shop)
    with pytest.raises(DataError, match=r"data\.max_bad_rows") as raised:
        ingest(shop.settings(max_bad_rows=0.0))
    assert is_one_sentence(raised.value)
    assert not shop.root.exists()


@pytest.mark.parametrize("case", REFUSED)
def test_a_broken_file_is_refused_in_a_sentence(shop: SmallShop, case: str) -> None:
    broken, names = REFUSED[case]
    broken(shop)
    with pytest.raises(DataError) as raised:
        ingest(shop.settings())
    assert is_one_sentence(raised.value), raised.value
    assert all(name in str(raised.value) for name in names), raised.value
    assert not shop.root.exists()


@pytest.fixture(scope="module")
def ingested(write_shop: Callable[[Path], SmallShop], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set of a small shop."""
    shop = write_shop(tmp_path_factory.mktemp("ingested"))
    ingest(shop.settings())
    return shop.root


@pytest.mark.parametrize("case", [*REFUSED, *BAD_ROWS])
def test_an_existing_data_set_is_not_changed(shop: SmallShop, ingested: Path, case: str) -> None:
    shutil.copytree(ingested, shop.root)
    before = tree(shop.root)
    week = SmallShop(shop.raw.with_name("week"), shop.root)
    shop.raw.rename(week.raw)
    first = datetime.date(2020, 9, 21)
    week.write("transactions", transactions(40, ARTICLE_RANGE, CUSTOMER_RANGE, first))
    (REFUSED | BAD_ROWS)[case][0](week)  # type: ignore[operator]
    for attempt in (
        lambda: append(shop.settings(max_bad_rows=0.0), week.raw),
        lambda: ingest(shop.settings(raw=week.raw, max_bad_rows=0.0), replace=True),
    ):
        with pytest.raises(DataError) as raised:
            attempt()
        assert is_one_sentence(raised.value), raised.value
        assert tree(shop.root) == before
        assert not (shop.root / ".staging").exists()


def test_a_hopeless_file_is_not_read_to_its_end(shop: SmallShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvrows, "BLOCK", 1000)
    monkeypatch.setattr("hmgpu.data.ingest.quarantine.HOPELESS", 5)
    lines = shop.file(T).read_bytes().splitlines(keepends=True)
    shop.file(T).write_bytes(b"".join([*lines[:21], *(line.replace(b"-", b"/") for line in lines[21:])]))
    with pytest.raises(DataError, match="of the first") as raised:
        ingest(shop.settings(max_bad_rows=0.01))
    assert is_one_sentence(raised.value)
    assert ingest(shop.settings(max_bad_rows=0.5)).rows == 20


def test_every_reason_is_one_that_the_config_may_name() -> None:
    assert {reason for *_, reason in BAD_ROWS.values()} <= set(REASONS)


def test_there_are_at_least_50_cases() -> None:
    assert len(BAD_ROWS) + len(REFUSED) >= 50


def test_the_quarantine_keeps_rows_that_hold_line_ends(shop: SmallShop) -> None:
    rows = shop.read("articles")
    rows[3][0], rows[3][-1] = "x", "two\nlines"
    rows[5][0] = "y"
    shop.write("articles", rows)
    with pytest.raises(DataError):  # the transactions of the two articles are unknown now
        ingest(shop.settings(max_bad_rows=0.05))
    report = pl.read_csv(next(shop.root.with_name("data.rejected").glob("articles-*.csv")))
    assert report["line"].to_list() == [4, 7]
    assert report["text"][0].endswith('two\nlines"')


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from([b'"', b",", b"\n", b"\r", b"\r\n", b"a", b"\xff", b"0000001001", b"\0", b'""', b',"']), max_size=60),
    st.integers(1, 40),
    st.sampled_from([b",", b";"]),
)  # fmt: skip
def test_no_line_is_ever_lost(pieces: list[bytes], block: int, separator: bytes) -> None:
    """Every non-empty line is in a row or in a bad row, whatever the bytes and the size of a block."""
    import re

    data = b"".join(pieces).replace(b",", separator)
    raw = {"id": "id", "text": "text"}
    header = csvrows.Header(2, {"id": 0, "text": 1}, raw, 0, re.compile(rb"\d{10}"), separator, "not UTF-8")

    def read(size: int) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
        was, csvrows.BLOCK = csvrows.BLOCK, size
        try:
            blocks = list(csvrows.read_rows(io.BytesIO(data), b"", 2, header, Path("x.csv"), lambda: None))
        finally:
            csvrows.BLOCK = was
        good = [(int(n), *row) for rows in blocks for n, row in zip(rows.lines, rows.frame.rows(), strict=True)]
        return good, [row for rows in blocks for row in rows.unreadable.rows()]

    good, bad = read(block)
    assert (good, bad) == read(1 << 20)
    starts = {row[0] for row in good} | {row[0] for row in bad}
    assert len(starts) == len(good) + len(bad)
    spans = [(int(row[0]), str(row[1:]).count("\\n")) for row in good + bad]  # type: ignore[call-overload]
    covered = {first + step for first, more in spans for step in range(more + 1)}
    lines = data.split(b"\n")
    assert covered >= {number for number, text in enumerate(lines, 2) if text.removesuffix(b"\r")}
