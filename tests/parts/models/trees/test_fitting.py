"""Fitting trees to examples on disk: an interruption does not count as the end of the examples."""

import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

import polars as pl
import pytest
import xgboost as xgb
from kit import ODD
from planted import PER_CUSTOMER, SMALL, on_disk, planted

from hmgpu.core.engine import Engine
from hmgpu.core.interrupts import STOPS
from hmgpu.parts.examples import Examples
from hmgpu.parts.models.trees.boosting import VALUE

CPU = Engine("cpu", "tests")
GPU = Engine("gpu", "a stand-in")


pytestmark = pytest.mark.usefixtures("signals_exit")


@dataclass(frozen=True)
class Interrupting(Examples):
    """Examples that raise a signal while they are read."""

    number: int = signal.SIGTERM
    at: int = 0

    def with_purchases(self) -> Iterator[pl.DataFrame]:
        for part, table in enumerate(super().with_purchases()):
            if part == self.at:
                signal.raise_signal(self.number)
            yield table


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("number", STOPS)
def test_a_signal_while_xgboost_reads_ends_the_fitting(tmp_path, number, at):
    """XGBoost reads through a callback, which would swallow the exception and leave out the rest of the rows."""
    whole = planted(90, 1)
    cuts = {f"part{n}": whole[n * 30 * PER_CUSTOMER : (n + 1) * 30 * PER_CUSTOMER] for n in range(3)}
    training = on_disk(tmp_path, **cuts)
    validation = on_disk(tmp_path, validation=planted(30, 2))
    interrupting = Interrupting(**vars(training), number=number, at=at)
    with pytest.raises(SystemExit):
        SMALL.fit(interrupting, validation, CPU, 1)


def test_the_matrix_lies_in_a_file_while_trees_are_fitted(tmp_path, monkeypatch):
    """So it takes no memory, and what is fitted are the trees that a matrix in memory gives."""
    table = planted(300, 1).with_columns(pl.when(pl.col("popular_rank") % 3 == 1).then("popular_rank"))
    training, validation = on_disk(tmp_path, a=table[:3000], b=table[3000:]), on_disk(tmp_path, c=planted(60, 2))
    scratch, lying = tmp_path / "scratch", []
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    train = xgb.train

    def looking(*given, **more):
        lying.append(sum(file.stat().st_size for file in scratch.rglob("*") if file.is_file()))
        return train(*given, **more)

    monkeypatch.setattr(xgb, "train", looking)
    ranker = SMALL.model_copy(update={"rows": 0.7, "columns": 0.7})
    filed = ranker.fit(training, validation, CPU, 1)
    assert not [*scratch.iterdir()]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    held = ranker.fit(training, validation, CPU, 1)
    assert lying[0] >= table.height * 5
    assert lying[0] <= table.height * 5 * VALUE
    assert lying[1] == 0
    assert filed.booster.save_raw("ubj") == held.booster.save_raw("ubj")


def test_where_the_disk_has_no_room_or_no_name_for_it_the_matrix_is_held_in_memory(tmp_path, monkeypatch, caplog):
    training, validation = on_disk(tmp_path, a=planted(60, 1)), on_disk(tmp_path, b=planted(60, 2))
    filed = SMALL.fit(training, validation, CPU, 1)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
        SMALL.fit(training, validation, CPU, 1)
    assert "kept in memory while trees are fitted: the disk of" in caplog.text
    odd = tmp_path / ODD
    odd.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(odd))
    held = SMALL.fit(training, validation, CPU, 1)
    assert f"XGBoost can't read files in {odd}; set TMPDIR" in caplog.text
    assert filed.booster.save_raw("ubj") == held.booster.save_raw("ubj")


def test_the_file_is_found_in_a_folder_with_any_name_in_ascii(tmp_path, monkeypatch, caplog):
    training, validation = on_disk(tmp_path, a=planted(60, 1)), on_disk(tmp_path, b=planted(60, 2))
    odd = tmp_path / "a b#c?d\"e\\f'g%20[1]*"
    odd.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(odd))
    SMALL.fit(training, validation, CPU, 1)
    assert "kept in memory" not in caplog.text


def test_columns_without_nulls_give_the_same_trees(tmp_path, monkeypatch):
    """A GPU gets them so, as cuDF frames; most ranks are null, since few retrievers propose a candidate."""
    proposed = pl.col("popular_rank") % 3 == 1
    table = planted(60, 1).with_columns(pl.when(proposed).then("popular_rank"), flag=pl.when(proposed).then(True))
    training, validation = on_disk(tmp_path, training=table), on_disk(tmp_path, validation=table.head(200))
    expected = SMALL.fit(training, validation, CPU, 1).score(table)
    monkeypatch.setitem(sys.modules, "cudf", SimpleNamespace(DataFrame=SimpleNamespace(from_arrow=pl.from_arrow)))
    columns = Engine.columns
    monkeypatch.setattr(Engine, "columns", lambda _, rows: columns(GPU, rows))
    assert SMALL.fit(training, validation, CPU, 1).score(table).equals(expected)
