"""`hmgpu benchmark features`: the feature families' plans on CPU and GPU, DuckDB, and pandas, at several sizes.

Measured from the data set's files on: learn a family as of the last complete week and compute its columns for the
candidates of customers who bought in that week. The candidates are computed before.
"""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.benchmark.candidates import buyers, propose, units
from hmgpu.benchmark.engines import plans_on
from hmgpu.benchmark.feature_agreement import TOLERANCE, FeatureAgreement
from hmgpu.benchmark.feature_timing import (
    DuckDBFeatures,
    FeatureInputs,
    PandasFeatures,
    Plans,
    TunedPandasFeatures,
)
from hmgpu.benchmark.memory import peak
from hmgpu.benchmark.result import Result
from hmgpu.benchmark.rivals.duckdb_features import VERSION
from hmgpu.benchmark.rivals.pandas_features import WRITTEN, needs
from hmgpu.benchmark.subject import Subject
from hmgpu.benchmark.timing import Contender, Measurement, measure
from hmgpu.benchmark.traffic import bandwidth, column_bytes
from hmgpu.core.engine import Engine
from hmgpu.core.parquet import read_table
from hmgpu.parts.candidates import KEYS
from hmgpu.pipeline.candidates import merge

ALL = "all families"


def benchmark_features(
    subjects: Iterable[Subject], engines: Sequence[Engine], absent: Mapping[str, str], repeats: int, memory: bool = True
) -> Result:
    """Measure the families, one by one and all together, on each of `subjects`. Raises DisagreementError."""
    measured, data, agreement = list[Measurement](), list[dict[str, Any]](), FeatureAgreement()
    bandwidths: dict[str, float] = {engine.name: speed for engine in engines if (speed := bandwidth(engine))}
    for subject in subjects:
        families = {name: part for name, part in subject.untrained.features.items() if isinstance(part, WRITTEN)}
        with tempfile.TemporaryDirectory() as folder:
            pairs = Path(folder) / "pairs.parquet"
            candidates = _write_pairs(subject, engines[0], pairs)
            inputs = FeatureInputs(subject.store.root, subject.history.cutoff, families, pairs)
            rows = units(subject.history.transactions, engines[0])
            measured += _measured(inputs, rows, engines, repeats, agreement, memory, bandwidths)
        data.append(subject.data_facts() | {"transactions_before_cutoff": rows, "candidates": candidates})
        settings = {
            "features": {name: part.settings() for name, part in families.items()},
            "retrievers": {name: part.settings() for name, part in subject.untrained.retrievers.items()},
            "left_out": [
                *subject.left_out,
                *(f"features.{name}" for name in subject.untrained.features if name not in families),
            ],
            "memory": "height of the resident memory of a process of its own, beyond what it held after its imports",
            "bandwidth": {name: f"{speed / 1e9:.1f} GB/s" for name, speed in bandwidths.items()},
            "share_of_bandwidth": "the share of the seconds in which the memory could have moved the columns: every "
            "needed column read once and every computed column written once, as they lie in memory",
            "repeats": repeats,
            "engines": [engine.name for engine in engines],
            "threads": pl.thread_pool_size(),
            "duckdb": VERSION,
            "tolerance": TOLERANCE,
        }
    return Result("features", measured, {"described": agreement.said()}, settings, {"sets": data}, absent)


def _write_pairs(subject: Subject, engine: Engine, file: Path) -> int:
    """Write the candidates of all retrievers that need no training; return how many there are."""
    asked = buyers(subject, engine)
    retrievers = subject.untrained.retrievers
    proposed = {name: propose(part, subject.history, asked, engine).lazy() for name, part in retrievers.items()}
    pairs = engine.collect(merge(proposed).sort(KEYS))
    pairs.write_parquet(file)
    return pairs.height


def _ways(inputs: FeatureInputs, engines: Sequence[Engine]) -> list[Plans | DuckDBFeatures | PandasFeatures]:
    """All ways, the common pandas code last: the others are compared with it."""
    return [
        *(Plans(inputs, engine) for engine in engines),
        DuckDBFeatures(inputs),
        TunedPandasFeatures(inputs),
        PandasFeatures(inputs),
    ]


def _measured(
    inputs: FeatureInputs,
    rows: int,
    engines: Sequence[Engine],
    repeats: int,
    agreement: FeatureAgreement,
    memory: bool,
    bandwidths: Mapping[str, float],
) -> list[Measurement]:
    ways = _ways(inputs, engines)
    speeds = {plans_on(engine): bandwidths[engine.name] for engine in engines if engine.name in bandwidths}
    calls: dict[str, list[Callable[[], Any]]] = {
        name: [partial(way.one, name) for way in ways] for name in inputs.families
    }
    calls[ALL] = [way.all for way in ways]
    measured = []
    for what, works in calls.items():
        contenders = [Contender(way.name, work) for way, work in zip(ways, works, strict=True)]
        sizes = list[int]()

        def check(results: Mapping[str, Any], what: str = what, sizes: list[int] = sizes) -> None:
            agreement.check(f"{what}, {rows:,} transactions", results)
            sizes.append(_column_bytes(inputs, what, results[ways[0].name], engines[0]))

        done = measure(what, rows, "transactions", contenders, repeats, check)
        measured.append(replace(done, column_bytes=sizes[0], bandwidth=speeds))
    if memory:
        fresh = _ways(inputs, engines)  # `ways` hold the candidates, which would be sent along
        measured[-1] = replace(measured[-1], memory_mib={way.name: peak(way.all, way.begin) for way in fresh})
    return measured


def _column_bytes(inputs: FeatureInputs, what: str, described: pl.DataFrame, engine: Engine) -> int:
    """Bytes of the columns that computing `described` reads and writes: the columns of `what`, a family or all."""
    families = [*inputs.families.values()] if what == ALL else [inputs.families[what]]
    pairs = read_table(inputs.pairs)
    read = pairs if any(part.compares for part in families) else pairs.select(KEYS)
    own = described.select(*KEYS, *(name for name in described.columns if name not in pairs.columns))
    history = inputs.store.as_of(inputs.cutoff)
    return column_bytes(history, [needs(part, history.present) for part in families], read, own, engine)
