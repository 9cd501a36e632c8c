"""From an encoder, or a file, to what parts are given."""

import polars as pl
import pytest
from small_world import World, article_id

from hmgpu.core.engine import Engine
from hmgpu.data.manifest import Manifest
from hmgpu.data.store import Store
from hmgpu.data.vectors import make as making
from hmgpu.data.vectors.make import make, take

CPU = Engine("cpu", "tests")


def test_an_encoder_makes_them(shop: World, counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "Encoder", lambda *_: counting())
    kept = make(Store(shop.root), "pictures", "any", CPU, 4, lambda *_: None)
    assert (kept.made_by, kept.dimensions, kept.articles) == ("model counting", 3, 6)
    store = Store(shop.root)
    table = store.as_of(store.last_day + 1).vectors_of("pictures").sort("article").collect()
    assert table["article"].to_list() == [0, 1, 2, 3, 4, 5]
    # Red, lime, blue, red, lime, blue, as JPEG has them.
    assert [max(range(3), key=lambda place: row[place]) for row in table.drop("article").rows()] == [0, 1, 2] * 2
    assert not list(shop.root.glob("vectors/.unfinished*"))


def test_a_file_has_them(shop: World) -> None:
    file = shop.raw.parent / "mine.parquet"
    pl.DataFrame({"article_id": [article_id(2)], "vector": [[0.0, 5.0]]}).write_parquet(file)
    take(Store(shop.root), "text", file)
    assert Manifest.read(shop.root).vectors["text"].made_by == "file mine.parquet"
    store = Store(shop.root)
    assert store.as_of(store.last_day + 1).vectors_of("text").collect().rows() == [(1, 0, 2048)]
