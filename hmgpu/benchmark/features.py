"""`hmgpu benchmark features`: the feature families' plans on CPU and GPU, and pandas, at several sizes.

What is measured starts at the data set's files: learn a family as of the last complete week and compute its columns for
the candidates of those who bought in that week. The candidates are made before.
"""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl

from hmgpu.benchmark.agreement import DisagreementError, largest_difference
from hmgpu.benchmark.candidates import buyers, propose, units
from hmgpu.benchmark.describing import Inputs, Pandas, Plans, TunedPandas
from hmgpu.benchmark.memory import peak
from hmgpu.benchmark.result import Result
from hmgpu.benchmark.rivals.pandas_features import WRITTEN
from hmgpu.benchmark.subject import Subject
from hmgpu.benchmark.timing import Contender, Measurement, measure
from hmgpu.candidates import merge
from hmgpu.engine import Engine
from hmgpu.rankers import KEYS

ALL = "all families"
TOLERANCE = 1e-4  # pandas sums decayed weights in floats, hmgpu in multiples of 2^-20, some hundreds at most
AT_ONCE = 16  # columns that are compared; a whole table more than what contenders hold would not fit beside them


def benchmark_features(
    subjects: Iterable[Subject], engines: Sequence[Engine], absent: Mapping[str, str], repeats: int, memory: bool = True
) -> Result:
    """Transactions a second, family by family and all together, on each of `subjects`. Raises DisagreementError."""
    measured, data, agreement = list[Measurement](), list[dict[str, Any]](), Agreement()
    for subject in subjects:
        families = {name: part for name, part in subject.untrained.features.items() if isinstance(part, WRITTEN)}
        with tempfile.TemporaryDirectory() as folder:
            pairs = Path(folder) / "pairs.parquet"
            candidates = _write_pairs(subject, engines[0], pairs)
            inputs = Inputs(subject.store.root, subject.history.cutoff, families, pairs)
            rows = units(subject.history.transactions, engines[0])
            measured += _measured(inputs, rows, engines, repeats, agreement, memory)
        data.append(subject.described() | {"transactions_before_cutoff": rows, "candidates": candidates})
        settings = {
            "features": {name: part.settings() for name, part in families.items()},
            "retrievers": {name: part.settings() for name, part in subject.untrained.retrievers.items()},
            "left_out": [
                *subject.left_out,
                *(f"features.{name}" for name in subject.untrained.features if name not in families),
            ],
            "memory": "height of the resident memory of a process of its own, beyond what it held after its imports",
            "repeats": repeats,
            "engines": [engine.name for engine in engines],
            "threads": pl.thread_pool_size(),
            "tolerance": TOLERANCE,
        }
    return Result("features", measured, {"described": agreement.said()}, settings, {"sets": data}, absent)


def _write_pairs(subject: Subject, engine: Engine, file: Path) -> int:
    """Writes the candidates of all retrievers that need no training; returns how many there are."""
    asked = buyers(subject, engine)
    retrievers = subject.untrained.retrievers
    proposed = {name: propose(part, subject.history, asked, engine).lazy() for name, part in retrievers.items()}
    pairs = engine.collect(merge(proposed).sort(KEYS))
    pairs.write_parquet(file)
    return pairs.height


def _ways(inputs: Inputs, engines: Sequence[Engine]) -> list[Plans | Pandas]:
    """The common pandas code last: the others are compared with it."""
    return [*(Plans(inputs, engine) for engine in engines), TunedPandas(inputs), Pandas(inputs)]


def _measured(
    inputs: Inputs, rows: int, engines: Sequence[Engine], repeats: int, agreement: "Agreement", memory: bool
) -> list[Measurement]:
    ways = _ways(inputs, engines)
    calls: dict[str, list[Callable[[], Any]]] = {
        name: [partial(way.one, name) for way in ways] for name in inputs.families
    }
    calls[ALL] = [way.all for way in ways]
    measured = []
    for what, works in calls.items():
        contenders = [Contender(way.name, work) for way, work in zip(ways, works, strict=True)]
        check = partial(agreement.check, f"{what}, {rows:,} transactions")
        measured.append(measure(what, rows, "transactions", contenders, repeats, check))
    if memory:
        fresh = _ways(inputs, engines)  # the others hold the candidates, which would be sent along
        measured[-1] = replace(measured[-1], memory_mib={way.name: peak(way.all, way.begin) for way in fresh})
    return measured


class Agreement:
    """Compares described candidates, and remembers how far apart their numbers were."""

    def __init__(self) -> None:
        self.apart: dict[str, float] = {}

    def check(self, what: str, results: Mapping[str, Any]) -> None:
        """The first's columns with those of each other. Raises DisagreementError."""
        first, *others = results
        for name in others:
            self._compare(f"{what}: {first} and {name}", f"{first} and {name}", results[first], results[name])

    def said(self) -> str:
        """What was found, as a sentence."""
        apart = "; ".join(f"{pair} at most {gap:.1e} apart" for pair, gap in self.apart.items())
        return f"whole numbers equal, others within {TOLERANCE} of each other, as a share of those above 1 ({apart})"

    def _compare(self, what: str, pair: str, ours: pl.DataFrame, theirs: Any) -> None:
        if {*ours.columns} != {*theirs.columns}:
            raise DisagreementError(f"{what}: columns differ: {sorted({*ours.columns} ^ {*theirs.columns})}.")
        names = [name for name in ours.columns if name not in KEYS]
        for start in range(0, len(names), AT_ONCE):
            chosen = [*KEYS, *names[start : start + AT_ONCE]]
            mine = ours.select(chosen)
            try:
                gap = largest_difference(mine, _as_polars(theirs[chosen], mine), TOLERANCE, KEYS, relative=True)
            except DisagreementError as error:
                raise DisagreementError(f"{what}: {error}") from None
            self.apart[pair] = max(self.apart.get(pair, 0.0), gap)


def _as_polars(table: Any, like: pl.DataFrame) -> pl.DataFrame:
    """A frame of pandas with the types of `like`, a missing number null; what isn't whole stays so, to be refused."""
    if isinstance(table, pl.DataFrame):
        return table
    made = pl.from_pandas(pd.DataFrame(table), nan_to_null=True)
    whole = {
        name: dtype
        for name, dtype in like.schema.items()
        if dtype.is_integer() and (made[name] == made[name].cast(dtype, strict=False)).all()
    }
    return made.cast(whole)  # type: ignore[arg-type]
