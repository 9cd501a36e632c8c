"""Fitting trees to examples on disk: an interruption does not count as the end of the examples."""

import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

import polars as pl
import pytest
from planted import PER_CUSTOMER, SMALL, on_disk, planted

from hmgpu.core.engine import Engine
from hmgpu.core.interrupts import STOPS
from hmgpu.parts.examples import Examples

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
