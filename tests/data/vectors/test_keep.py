"""Vectors in the data set are complete or not there, listed by the manifest, and kept when a week is appended."""

import datetime

import numpy as np
import polars as pl
import pytest
from small_world import SmallShop, article_id, articles, customers, transactions, tree

from hmgpu.core.errors import BusyError, DataError
from hmgpu.data.ingest import append, ingest
from hmgpu.data.ingest.staging import staged
from hmgpu.data.manifest import Manifest, Vectors
from hmgpu.data.store import Store
from hmgpu.data.vectors.keep import keep

IDS = pl.Series([article_id(number) for number in (7, 1, 3)])
GIVEN = np.array([[0.0, -2.0], [3.0, 4.0], [1.0, 0.0]])


def of_store(root) -> list[tuple[int, int, int]]:
    """The rows of the data set's picture vectors, sorted by article."""
    store = Store(root)
    return store.as_of(store.last_day + 1).vectors_of("pictures").sort("article").collect().rows()


def test_vectors_have_length_1_in_whole_steps_by_the_articles_key(shop: SmallShop) -> None:
    kept = keep(shop.root, "pictures", IDS, GIVEN, "file mine.parquet")
    assert kept == Vectors(file=kept.file, made_by="file mine.parquet", dimensions=2, articles=3)
    # Keys are in the order of the ids: 1 is 0, 3 is 2, 7 is 6. 3/5 of 2048 steps are 1228.8.
    assert of_store(shop.root) == [(0, 1229, 1638), (2, 2048, 0), (6, 0, -2048)]
    assert pl.read_parquet_schema(shop.root / kept.file) == {"article": pl.Int32, "v000": pl.Int16, "v001": pl.Int16}
    Store(shop.root).verify()
    assert Manifest.read(shop.root).to_bytes() == (shop.root / "manifest.json").read_bytes()


def test_a_data_set_without_vectors_does_not_mention_them(shop: SmallShop) -> None:
    before = Store(shop.root)
    assert b"vectors" not in (shop.root / "manifest.json").read_bytes()
    digests = before.digest, before.digest_before(before.last_day)
    keep(shop.root, "text", IDS, GIVEN, "tests")
    after = Store(shop.root)
    assert (after.digest, after.digest_before(after.last_day)) == digests


def test_new_ones_take_the_place_of_the_same_ones_alone(shop: SmallShop) -> None:
    keep(shop.root, "text", IDS, GIVEN, "tests")
    first = keep(shop.root, "pictures", IDS, GIVEN, "first")
    again = keep(shop.root, "pictures", IDS, GIVEN, "first")
    assert first == again
    second = keep(shop.root, "pictures", IDS[:2], -GIVEN[:2], "second")
    manifest = Manifest.read(shop.root)
    assert set(manifest.vectors) == {"text", "pictures"}
    assert manifest.vectors["pictures"] == second
    lying = sorted(file for file in tree(shop.root) if file.startswith("vectors/"))
    assert lying == sorted(table.file for table in manifest.vectors.values())
    Store(shop.root).verify()


def test_a_damaged_table_is_found(shop: SmallShop) -> None:
    kept = keep(shop.root, "text", IDS, GIVEN, "tests")
    (shop.root / kept.file).write_bytes(b"other")
    with pytest.raises(DataError, match="is not the file that was ingested"):
        Store(shop.root).verify()


def test_vectors_stay_when_a_week_is_appended_and_go_when_the_data_set_is_replaced(shop: SmallShop) -> None:
    keep(shop.root, "pictures", IDS, GIVEN, "tests")
    before = of_store(shop.root)
    week = SmallShop(shop.raw.parent / "week", shop.root)
    week.raw.mkdir()
    week.write("articles", articles(range(1, 11)))
    week.write("customers", customers(range(1, 7)))
    week.write("transactions", transactions(30, range(1, 11), range(1, 7), datetime.date(2020, 9, 21), 7))
    append(shop.settings(), week.raw)
    Store(shop.root).verify()
    assert of_store(shop.root) == before
    done = ingest(shop.settings(), replace=True)
    assert any("compute them again with `hmgpu vectors pictures`" in warning for warning in done.warnings)
    assert Manifest.read(shop.root).vectors == {}
    assert not (shop.root / "vectors").exists()


def test_one_at_a_time(shop: SmallShop) -> None:
    before = tree(shop.root)
    with staged(shop.root), pytest.raises(BusyError):
        keep(shop.root, "text", IDS, GIVEN, "tests")
    assert tree(shop.root) == before


def test_an_article_that_the_data_set_no_longer_has(shop: SmallShop) -> None:
    before = tree(shop.root)
    with pytest.raises(DataError, match="no longer has article 77: it was replaced meanwhile"):
        keep(shop.root, "text", pl.Series([IDS[0], "77", IDS[2]]), GIVEN, "tests")
    assert tree(shop.root) == before
