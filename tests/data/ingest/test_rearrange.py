"""Data sets of older versions are written again as ingest writes now: the same rows, nothing lost by a kill."""

import os
import shutil
from pathlib import Path

import pytest
from small_world import SmallShop, tree

from hmgpu.core.errors import DataError
from hmgpu.data.ingest import ingest, row_groups
from hmgpu.data.ingest.rearrange import rearrange
from hmgpu.data.manifest import Manifest
from hmgpu.data.store import Store


class Killed(BaseException):
    """Ends what is under way as a kill does."""


@pytest.fixture
def old(shop: SmallShop, monkeypatch: pytest.MonkeyPatch) -> SmallShop:
    """A data set whose week files are one row group each, in order of days."""
    ingest(shop.settings())
    monkeypatch.setattr(row_groups, "GROUP", 4)
    return shop


def hashes(root: Path) -> list[str]:
    return [file.sha256 for _, file in sorted(Manifest.read(root).files.items())]


def test_afterwards_the_files_are_those_of_a_new_ingest(old: SmallShop, make_shop) -> None:
    new = make_shop("new")
    ingest(new.settings())
    before, purchases = hashes(old.root), old.purchases()
    assert before != hashes(new.root)
    said = rearrange(old.root)
    assert "4 files of 6 written again" in said
    assert hashes(old.root) == hashes(new.root)
    Manifest.read(old.root).verify(old.root)
    assert old.purchases().equals(purchases)
    day = Store(old.root).last_day
    assert Store(old.root).digest_before(day) == Store(new.root).digest_before(day)
    assert ingest(old.settings()).action == "already there"


def test_a_second_time_changes_nothing(old: SmallShop) -> None:
    rearrange(old.root)
    before = tree(old.root)
    assert "0 files of 6 written again" in rearrange(old.root)
    assert tree(old.root) == before


def test_a_kill_at_any_point_loses_nothing(old: SmallShop, tmp_path: Path, monkeypatch) -> None:
    purchases, manifest = old.purchases(), Manifest.read(old.root)
    calm = SmallShop(old.raw, tmp_path / "calm")
    shutil.copytree(old.root, calm.root)
    rearrange(calm.root)
    real = os.replace
    for moves in range(5):  # four files, and then the manifest

        def stop(*paths: Path, left: list[int] = [moves]) -> None:  # noqa: B006
            if not left[0]:
                raise Killed
            left[0] -= 1
            real(*paths)

        with monkeypatch.context() as patched:
            patched.setattr(os, "replace", stop)
            with pytest.raises(Killed):
                rearrange(old.root)
        assert Manifest.read(old.root) == manifest
        manifest.verify(old.root)
        assert old.purchases().equals(purchases)
    rearrange(old.root)
    assert tree(old.root) == tree(calm.root)


def test_a_folder_without_a_data_set_stays_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="run `hmgpu ingest` first"):
        rearrange(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
