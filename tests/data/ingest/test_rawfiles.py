"""Raw files are found by their names, in any packing, and streamed."""

import gzip
import hashlib
import zipfile
from pathlib import Path

import pytest
from small_world import SmallShop

from hmgpu.core.errors import DataError
from hmgpu.data.ingest.rawfiles import ENDINGS, find, open_raw, unpacked


@pytest.mark.parametrize("ending", ENDINGS)
def test_each_ending_is_found_and_named(shop: SmallShop, ending: str) -> None:
    path = shop.file("articles")
    path.rename(path.with_name(f"articles{ending}"))
    raw = find(shop.raw, shop.settings(), [])["articles"]
    assert (raw.path.name, raw.name, raw.is_parquet) == (f"articles{ending}", "articles", ending == ".parquet")
    assert raw.sha256 == hashlib.sha256(raw.path.read_bytes()).hexdigest()


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
