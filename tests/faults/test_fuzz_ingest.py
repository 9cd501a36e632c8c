"""Raw files with any content: a file is ingested, or refused in a sentence that leaves the data set as it was."""

import bz2
import gzip
import io
import shutil
import stat
import zipfile
from pathlib import Path

import polars as pl
import pytest
from faults import acts
from faults.kit import unharmed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_world import ARTICLE_RANGE, CUSTOMER_RANGE, FIRST, SmallShop, articles, customers, to_csv, transactions, tree

from hmgpu.core.errors import DataError
from hmgpu.data.ingest import append, ingest
from hmgpu.data.ingest.rawfiles import BOMB_BYTES
from hmgpu.data.store import Store

BUSY = [HealthCheck.too_slow]  # how long examples take to draw says how busy the machine is
GOOD = to_csv(transactions(30, ARTICLE_RANGE, CUSTOMER_RANGE, FIRST.replace(month=10)))
PIECES = [
    b"\0",
    b"\r",
    b"\n",
    b'"',
    b'""',
    b",",
    b";",
    b"\t",
    b"\xff",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xc3\x28",
    b"\x1a",
]
PIECES += [
    b",,,,,,",
    b"\n\n\n",
    b'"\n"',
    b"9" * 400,
    b"a" * 100_000,
    b"1e400",
    b"-1",
    b"NaN",
    b"2020-02-30",
    b"0000-00-00",
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SmallShop:
    folder = tmp_path_factory.mktemp("fuzz")
    world = SmallShop(folder / "raw", folder / "data")
    world.raw.mkdir()
    world.write("articles", articles(ARTICLE_RANGE))
    world.write("customers", customers(CUSTOMER_RANGE))
    world.write("transactions", transactions(40, ARTICLE_RANGE, CUSTOMER_RANGE))
    ingest(world.settings())
    shutil.copytree(world.root, folder / "kept")
    return world


TAKEN = "taken"


def said_of(world: SmallShop, file: Path) -> str:
    """`TAKEN`, or why the data set did not take the file: then it is as it was, byte for byte."""
    before, said = tree(world.root), TAKEN
    try:
        append(world.settings(), file)
    except DataError as error:
        said = str(error)
    shutil.rmtree(world.root.with_name("data.rejected"), ignore_errors=True)
    assert said.strip()
    if said != TAKEN:
        assert tree(world.root) == before
        return said
    Store(world.root).verify()
    shutil.rmtree(world.root)
    shutil.copytree(world.root.with_name("kept"), world.root)
    return TAKEN


def packed(content: bytes, ending: str) -> bytes:
    if ending == ".csv.gz":
        return gzip.compress(content, 1)
    if ending == ".csv.zip":
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("week.csv", content)
        return file.getvalue()
    return content


def harmed(data: st.DataObject, content: bytes) -> bytes:
    for _ in range(data.draw(st.integers(1, 3))):
        at, length = data.draw(st.integers(0, len(content))), data.draw(st.integers(0, 60))
        piece = data.draw(st.sampled_from(PIECES) | st.binary(max_size=8) | st.just(content[at : at + length] * 2))
        content = content[:at] + piece + content[at + length :]
    return content[: data.draw(st.just(len(content)) | st.integers(0, len(content)))]


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".csv.zip"])
def test_a_good_file_is_taken(world, ending):
    file = world.raw / f"week{ending}"
    file.write_bytes(packed(GOOD, ending))
    assert said_of(world, file) == TAKEN


@given(data=st.data())
@settings(max_examples=70, suppress_health_check=BUSY)
def test_a_file_with_pieces_lost_doubled_and_put_in(world, data):
    ending = data.draw(st.sampled_from([".csv", ".csv", ".csv.gz", ".csv.zip"]))
    file = world.raw / f"week{ending}"
    file.write_bytes(packed(harmed(data, GOOD), ending))
    said_of(world, file)


@given(data=st.data())
@settings(max_examples=70, suppress_health_check=BUSY)
def test_a_packed_file_that_was_damaged(world, data):
    ending = data.draw(st.sampled_from([".csv.gz", ".csv.zip"]))
    file = world.raw / f"week{ending}"
    file.write_bytes(harmed(data, packed(GOOD, ending)))
    said_of(world, file)


@given(content=st.binary(max_size=400), ending=st.sampled_from([".csv", ".csv.gz", ".csv.zip", ".parquet"]))
@settings(max_examples=60, suppress_health_check=BUSY)
def test_any_bytes(world, content, ending):
    file = world.raw / f"week{ending}"
    file.write_bytes(content)
    assert said_of(world, file) != TAKEN


@given(data=st.data())
@settings(max_examples=25, suppress_health_check=BUSY)
def test_an_articles_file_with_pieces_put_in(world, data):
    """Articles may have line ends within quotes, which is the harder reader."""
    folder = world.raw.with_name("week")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "transactions_train.csv").write_bytes(GOOD)
    (folder / "articles.csv").write_bytes(harmed(data, world.file("articles").read_bytes()))
    said_of(world, folder)


def test_a_parquet_file_that_was_damaged(world, forker, tmp_path, count):
    """In a process of its own: what reads Parquet is not written in Python, and may do more than raise."""
    rows = pl.read_csv(io.BytesIO(GOOD), infer_schema=False)
    rows.write_parquet(tmp_path / "good.parquet", compression="uncompressed")
    ended = forker.run(acts.append_damaged_parquet, tmp_path / "good.parquet", world.raw, world.root, 150)
    unharmed(ended)
    assert ended.code == 0, ended.said
    refused = int(ended.said.split("refused: ")[1].split()[0])
    assert refused > 10
    count("refused inputs", refused)


def _members(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def _link() -> zipfile.ZipInfo:
    link = zipfile.ZipInfo("week.csv")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return link


REFUSED = {
    "a member that is a link": (".zip", _members((_link(), b"/etc/passwd")), "has one column"),
    "two members": (".zip", _members(("a.csv", GOOD), ("b.csv", GOOD)), "holds 2 files"),
    "no member": (".zip", _members(), "holds 0 files"),
    "another alphabet": (".csv", GOOD.decode().encode("utf-16-le"), "set `data.encoding: utf-16-le`"),
    "another separator": (".csv", GOOD.replace(b",", b"~"), "set `data.separator`"),
    "a header alone": (".csv", GOOD.splitlines()[0], "no rows"),
    "one endless line": (".csv", b"a" * (33 << 20), "no line end"),
    "nothing but line ends": (".csv", b"\n" * (33 << 20), "not even a header"),
    "a gzip of a gzip": (".csv.gz", gzip.compress(gzip.compress(GOOD, mtime=0), mtime=0), "packed with gzip twice"),
    "a bomb": (".csv.gz", gzip.compress(GOOD + b"a" * (BOMB_BYTES + 1)), "unpacks to more than 200 times"),
    "a zip that is text": (".zip", GOOD, "is not a zip archive, as its name says"),
    "a gzip that ends early": (".csv.gz", gzip.compress(GOOD)[:-9], "can't be unpacked"),
    "an Excel workbook": (
        ".csv",
        _members(("[Content_Types].xml", b""), ("xl/workbook.xml", b"")),
        "is an Excel workbook",
    ),
    "an OpenDocument sheet": (".zip", _members(("mimetype", b""), ("content.xml", b"")), "is an OpenDocument sheet"),
    "an old Excel workbook": (".csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504, "is an Excel workbook"),
    "a page to log in": (".csv", b"\n<!DOCTYPE html><html></html>", "is an HTML page"),
    "a pointer of Git LFS": (".csv.gz", b"version https://git-lfs.github.com/spec/v1\n", "run `git lfs pull`"),
    "JSON": (".csv", b'[{"t_dat": "2020-09-07"}]', "is a JSON file"),
    "bzip2": (".csv", bz2.compress(GOOD), "is packed with bzip2"),
    "zstd in gzip": (".csv.gz", gzip.compress(b"\x28\xb5\x2f\xfd\4"), "is packed with zstd"),
    "text that is called Parquet": (".parquet", GOOD, "is not a Parquet file, as its name says"),
    "a Parquet file that ends early": (".parquet", b"PAR1" + GOOD, "can't be read as Parquet"),
}


@pytest.mark.parametrize(("ending", "content", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(world, count, ending, content, why):
    file = world.raw / f"week{ending}"
    file.write_bytes(content)
    assert why in said_of(world, file)
    count("refused inputs")


@pytest.mark.parametrize("name", ["../../../evil.csv", "/tmp/hmgpu-evil.csv", "..\\evil.csv", "a/../../week.csv"])
def test_a_member_that_leads_elsewhere_is_read_and_written_nowhere(world, name):
    file = world.raw / "week.zip"
    file.write_bytes(_members((name, GOOD)))
    around = {path for path in world.raw.parents[1].rglob("*") if "data" not in path.parts}
    assert said_of(world, file) == TAKEN
    assert {path for path in world.raw.parents[1].rglob("*") if "data" not in path.parts} == around
    assert not Path("/tmp/hmgpu-evil.csv").exists()
