"""Raw files are found by their names, in any packing, and streamed."""

import bz2
import datetime
import gzip
import hashlib
import io
import lzma
import pickle
import re
import zipfile
from pathlib import Path
from urllib.parse import quote

import polars as pl
import pytest
from small_world import ARTICLE_RANGE, CUSTOMER_RANGE, SmallShop, transactions

from hmgpu.core.errors import DataError
from hmgpu.data.ingest import append, ingest
from hmgpu.data.ingest.rawfiles import ENDINGS, find, open_raw, unpacked
from hmgpu.data.ingest.signatures import recognise


def packed(content: bytes, ending: str, member: str = "t.csv") -> bytes:
    """The bytes of a table in a file with this ending."""
    if ending.endswith(".gz"):
        return gzip.compress(content)
    if ending.endswith(".zip"):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(member, content)
        return file.getvalue()
    if ending == ".parquet":
        file = io.BytesIO()
        pl.read_csv(content, infer_schema=False).write_parquet(file)
        return file.getvalue()
    return content


@pytest.mark.parametrize("ending", [*ENDINGS, ".CSV", ".Csv.GZ", ".Parquet"])
def test_each_ending_is_found_and_named(shop: SmallShop, ending: str) -> None:
    path = shop.file("articles")
    content = packed(path.read_bytes(), ending.lower())
    path.with_name(f"articles{ending}").write_bytes(content)
    if ending != ".csv":
        path.unlink()
    raw = find(shop.raw, shop.settings(), [])["articles"]
    assert (raw.path.name, raw.name, raw.is_parquet) == (f"articles{ending}", "articles", "arquet" in ending)
    assert raw.sha256 == hashlib.sha256(raw.path.read_bytes()).hexdigest()


def test_a_name_may_be_given_with_its_ending(shop: SmallShop) -> None:
    settings = shop.settings(files={"transactions": "transactions_train.csv"})
    assert find(shop.raw, settings, [])["transactions"].path.name == "transactions_train.csv"


@pytest.mark.parametrize("ending", [".csv.gz", ".zip", ".parquet"])
def test_first_bytes_say_how_a_file_is_packed(shop: SmallShop, make_shop, ending: str) -> None:  # type: ignore[no-untyped-def]
    plain = make_shop("plain")
    ingest(plain.settings())
    for table in ("transactions", "articles", "customers"):
        shop.file(table).write_bytes(packed(shop.file(table).read_bytes(), ending))
    assert ingest(shop.settings()).bad_rows == {}
    assert shop.purchases().equals(plain.purchases())


SHEET = io.BytesIO()
with zipfile.ZipFile(SHEET, "w") as _archive:
    for _name in ("[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"):
        _archive.writestr(_name, "<x/>")
OPEN = io.BytesIO()
with zipfile.ZipFile(OPEN, "w") as _archive:
    _archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    _archive.writestr("content.xml", "<x/>")

DISGUISED = {
    "xlsx": (SHEET.getvalue(), "is an Excel workbook: open it and save each sheet as CSV UTF-8"),
    "ods": (OPEN.getvalue(), "is an OpenDocument sheet: open it and save each sheet as CSV UTF-8"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an Excel workbook: open it and save each sheet as CSV UTF-8"),
    "html": (b"<!DOCTYPE html>\n<html>Sign in</html>", "is an HTML page, perhaps of a login or an error: get the file"),
    "html without a head": (b"\xef\xbb\xbf\n <HTML><body>", "is an HTML page"),
    "xml": (b'<?xml version="1.0"?><rows/>', "is an XML file"),
    "json": (b'[{"t_dat": "2020-09-07"}]', "is a JSON file: write the table as CSV or Parquet"),
    "json lines": (b'{"t_dat": "2020-09-07"}\n{"t_dat": 1}', "is a JSON file"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d", "is a pointer to .* Git LFS.*`git lfs pull`"),
    "annex": (b"../.git/annex/objects/xx/SHA256E-s1--ab.csv", "is a pointer of git-annex.*`git annex get`"),
    "bzip2": (bz2.compress(b"x"), "is packed with bzip2: unpack it"),
    "xz": (lzma.compress(b"x"), "is packed with xz: unpack it"),
    "zstd": (b"\x28\xb5\x2f\xfd\x04", "is packed with zstd: unpack it"),
    "lz4": (b"\x04\x22\x4d\x18d", "is packed with lz4"),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\4", "is a 7-Zip or RAR archive"),
    "feather": (b"ARROW1\0\0\xff", "is an Arrow .* file: write the table as CSV or Parquet"),
    "orc": (b"ORC\x08\x03", "is an ORC file"),
    "avro": (b"Obj\x01\x04", "is an Avro file"),
    "hdf": (b"\x89HDF\r\n\x1a\n", "is an HDF5 file"),
    "sqlite": (b"SQLite format 3\0", "is a SQLite database"),
    "pickle": (pickle.dumps({"a": 1}), "is a Python pickle"),
    "pdf": (b"%PDF-1.7", "is a PDF"),
    "picture": (b"\xff\xd8\xff\xe0", "is a picture"),
    "encrypted parquet": (b"PARE\0", "is an encrypted Parquet file"),
    "gzip in gzip": (gzip.compress(gzip.compress(b"x")), "is packed with gzip twice: unpack it once"),
}  # fmt: skip


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
@pytest.mark.parametrize("kind", DISGUISED)
def test_a_file_in_disguise_is_refused_with_the_remedy(shop: SmallShop, kind: str, ending: str) -> None:
    content, why = DISGUISED[kind]
    shop.file("transactions").unlink()
    (shop.raw / f"transactions_train{ending}").write_bytes(content)
    with pytest.raises(DataError, match=rf"transactions_train{re.escape(ending)} {why}") as raised:
        ingest(shop.settings())
    assert str(raised.value).endswith(".")
    assert not shop.root.exists()


@pytest.mark.parametrize("header", [b"ORCID,a", b"PDF,a", b"version,a", b"[id],a", b"BZh,a", b"PKid,a", b"Objekt;a"])
def test_a_header_is_not_taken_for_a_signature(header: bytes) -> None:
    assert recognise(header) is None


@pytest.mark.parametrize("ending", [".csv.gz", ".zip", ".parquet"])
def test_text_that_is_called_a_packed_file_is_refused(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"t{ending}").write_bytes(b"t_dat,price\n")
    with pytest.raises(DataError, match=r"is not .*, as its name says: get the file again, or call it \.csv"):
        open_raw("transactions", tmp_path / f"t{ending}")


@pytest.mark.parametrize(("name", "why"), [("articles.xlsx", "Excel workbook"), ("articles.csv.xz", "packed with xz")])
def test_a_missing_table_that_is_there_in_another_form(shop: SmallShop, name: str, why: str) -> None:
    shop.file("articles").unlink()
    (shop.raw / name).write_bytes(SHEET.getvalue() if name.endswith("x") else lzma.compress(b"x"))
    with pytest.raises(DataError, match=rf"{name} is .*{why}"):
        find(shop.raw, shop.settings(), [])


def spark_folder(shop: SmallShop, table: str, by: str | None = None) -> Path:
    """Write a table as Spark does, in two parts, or in a folder for each value of a column; returns the folder."""
    frame = pl.read_csv(shop.file(table), infer_schema=False)
    folder = shop.file(table).with_suffix(".parquet")
    parts = frame.partition_by(by, as_dict=True) if by else {}
    half = frame.height // 2
    written = [("", frame[:half]), ("", frame[half:].select(reversed(frame.columns)))]
    if by:
        written = [(f"{by}={quote(str(value))}/", part.drop(by)) for (value,), part in parts.items()]
    for number, (inside, part) in enumerate(written):
        path = folder / f"{inside}part-{number:05d}-c000.snappy.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_parquet(path)
    (folder / "_SUCCESS").touch()
    (folder / "_metadata.parquet").touch()
    shop.file(table).unlink()
    return folder


@pytest.mark.parametrize("by", [None, "t_dat", "sales_channel_id"])
def test_a_folder_of_parquet_files_is_one_table(shop: SmallShop, make_shop, by: str | None) -> None:  # type: ignore[no-untyped-def]
    plain = make_shop("plain")
    ingest(plain.settings())
    spark_folder(shop, "transactions", by)
    spark_folder(shop, "articles")
    assert ingest(shop.settings()).rows == 40
    assert shop.purchases().equals(plain.purchases())


def test_a_bad_row_of_a_folder_has_its_number_among_all(shop: SmallShop) -> None:
    rows = shop.read("transactions")
    rows[33][3] = "-1"
    shop.write("transactions", rows)
    spark_folder(shop, "transactions")
    (report,) = ingest(shop.settings()).quarantine
    assert pl.read_csv(report).select("file", "line").row(0) == ("transactions_train.parquet", 33)


def test_a_folder_of_parquet_files_is_appended(shop: SmallShop) -> None:
    ingest(shop.settings())
    shop.write("transactions", transactions(40, ARTICLE_RANGE, CUSTOMER_RANGE, datetime.date(2020, 9, 21)))
    assert append(shop.settings(), spark_folder(shop, "transactions")).rows == 40


def test_other_folders_are_refused(shop: SmallShop, tmp_path: Path) -> None:
    for name, why in (
        ("t.csv", "is a folder: only a folder of Parquet files"),
        ("t.parquet", "without a Parquet file"),
    ):
        (tmp_path / name).mkdir()
        with pytest.raises(DataError, match=why):
            open_raw("transactions", tmp_path / name)


def test_names_come_from_the_settings(shop: SmallShop) -> None:
    shop.file("articles").rename(shop.raw / "products.csv")
    found = find(shop.raw, shop.settings(files={"articles": "products", "customers": None}), [])
    assert sorted(found) == ["articles", "transactions"]
    with pytest.raises(DataError, match=r"data\.files\.articles.*null"):
        find(shop.raw, shop.settings(), [])


def test_a_week_needs_transactions_only(shop: SmallShop) -> None:
    shop.file("articles").unlink()
    assert sorted(find(shop.raw, shop.settings(), [], week=True)) == ["customers", "transactions"]


def test_unpacked_bytes(tmp_path: Path) -> None:
    content = bytes(range(256)) * 1000
    (tmp_path / "t.csv").write_bytes(content)
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(content[:1000]) + gzip.compress(content[1000:]))
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("folder/t.csv", content)
        archive.writestr("readme.txt", "")
    for name in ("t.csv", "t.csv.gz", "t.zip"):
        raw = open_raw("transactions", tmp_path / name)
        with unpacked(raw) as (stream, disk):
            assert stream.read() == content
            assert disk.tell() <= raw.size


def test_the_error_names_a_file_that_can_not_be_opened(tmp_path: Path) -> None:
    (tmp_path / "t.xlsx").write_bytes(b"x")
    with pytest.raises(DataError, match=r"t\.xlsx.*\.parquet"):
        open_raw("transactions", tmp_path / "t.xlsx")
    with pytest.raises(DataError, match=r"gone\.csv"):
        open_raw("transactions", tmp_path / "gone.csv")
