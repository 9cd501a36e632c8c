"""A data set is trusted only as far as its manifest goes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_world import SmallShop

from hmgpu.core.errors import DataError
from hmgpu.data.ingest import ingest
from hmgpu.data.manifest import Manifest


def test_round_trip(shop: SmallShop) -> None:
    ingest(shop.settings())
    manifest = Manifest.read(shop.root)
    assert manifest.to_bytes() == (shop.root / "manifest.json").read_bytes()
    assert manifest.settings["week_starts"] == "wednesday"
    assert [source.table for source in manifest.sources] == ["transactions", "articles", "customers"]
    assert manifest.sources[0].rows == manifest.rows == 40
    assert manifest.sources[0].first_day == manifest.first_day
    assert {name.split("-")[0] for name in manifest.files if "/" not in name} == {"articles", "customers", "codes"}
    assert manifest.files[manifest.table("articles")].rows == manifest.articles


def test_no_path_of_this_machine_is_in_it(shop: SmallShop) -> None:
    ingest(shop.settings())
    assert str(shop.raw.parent) not in (shop.root / "manifest.json").read_text()


def test_none_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="hmgpu ingest"):
        Manifest.read(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="must name a folder"):
        Manifest.read(tmp_path / "file")


def change(**given: Any) -> Callable[[str], str]:
    """Return a change of the manifest's JSON text that sets these keys."""
    return lambda text: json.dumps(json.loads(text) | given)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda text: text[: len(text) // 2], "is damaged: it is not JSON"),
        (lambda text: "", "is damaged: it is not JSON"),
        (lambda text: "[]", "format None"),
        (change(format=2), "format 2"),
        (change(rows="many"), "at rows"),
        (change(surplus=1), "at surplus"),
        (change(files={"../../etc/passwd": {"sha256": "0", "rows": 1}}), "outside"),
        (change(vectors={"text": {"file": "x", "made_by": "", "dimensions": 1, "articles": 1}}), "not among the files"),
        (change(vectors={"sounds": {}}), "at vectors"),
        (change(files={"/etc/passwd": {"sha256": "0", "rows": 1}}), "outside"),
    ],
)
def test_damage_is_named(shop: SmallShop, damage: Callable[[str], str], says: str) -> None:
    ingest(shop.settings())
    path = shop.root / "manifest.json"
    path.write_text(damage(path.read_text()))
    with pytest.raises(DataError, match=says) as raised:
        Manifest.read(shop.root)
    assert "--replace" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_verify(shop: SmallShop) -> None:
    ingest(shop.settings())
    manifest = Manifest.read(shop.root)
    path = shop.root / manifest.table("codes")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="codes"):
        manifest.verify(shop.root)
    path.unlink()
    with pytest.raises(DataError, match="codes"):
        manifest.verify(shop.root)
