"""`hmgpu benchmark pipeline`: the whole pipeline, step by step, on CPU and GPU.

Unlike in other benchmarks nothing warms up: a run is measured as a user has it, from a folder without steps, in a
process of its own, so that everything it loads and starts counts.
"""

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from hmgpu.benchmark.agreement import DisagreementError
from hmgpu.benchmark.memory import forget, highest
from hmgpu.benchmark.result import Result
from hmgpu.benchmark.steps import Kind, kinds_of
from hmgpu.benchmark.subject import Subject
from hmgpu.benchmark.timing import Measurement
from hmgpu.benchmark.train import TOLERANCE, check_near
from hmgpu.core.alone import alone
from hmgpu.core.console import start_logging
from hmgpu.core.engine import Engine
from hmgpu.core.list_length import K
from hmgpu.data.store import Store
from hmgpu.parts.rankers.order import Order
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.runs.run import Run

WHOLE = "whole line"


@dataclass(frozen=True)
class Ran:
    """One run of the pipeline: its steps' time and memory, and its results."""

    kinds: Mapping[str, Kind]
    submission: bytes
    map_at_12: float


def benchmark_pipeline(subject: Subject, engines: Sequence[Engine], absent: Mapping[str, str], repeats: int) -> Result:
    """Measure every kind of step: train, evaluate, recommend, submit. Raises DisagreementError; see `agree`."""
    ran: dict[str, list[Ran]] = {_named(engine): [] for engine in engines}
    for _ in range(repeats):
        for engine in engines:
            with tempfile.TemporaryDirectory() as folder:
                ran[_named(engine)].append(_run(subject, engine, Path(folder)))
    said = agree({name: runs[-1] for name, runs in ran.items()}, _without_models(subject.config))
    settings = {
        "config": subject.config.settings(),
        "repeats": repeats,
        "warm_up": False,
        "memory": "steps: all that the process held; whole line: beyond what it held at the start",
        "engines": [engine.name for engine in engines],
        "threads": pl.thread_pool_size(),
        "tolerance": TOLERANCE,
    }
    return Result("pipeline", _measurements(ran), {"submission": said}, settings, subject.data_facts(), absent)


def agree(ran: Mapping[str, Ran], without_models: bool) -> str:
    """Return how the engines' submissions compare, as a sentence.

    Where no model is fitted the bytes must be equal: plans give the same on every engine. A model that was fitted on
    another device is another model, so there the validation week's MAP@12 must be near. Raises DisagreementError.
    """
    if len(ran) < 2:
        return f"only {next(iter(ran))} ran: its submission was compared with nothing"
    (one, ours), (other, theirs) = ran.items()
    if ours.submission == theirs.submission:
        return f"{one} and {other} wrote the same submission, byte for byte"
    same = _same_places(ours.submission, theirs.submission)
    said = f"{same:.1%} of all places of the submissions hold the same article"
    if without_models:
        raise DisagreementError(f"{one} and {other} differ though no model was fitted: {said}.")
    check_near(f"MAP@12 of {one} and {other}", ours.map_at_12, theirs.map_at_12)
    found = f"MAP@12 {ours.map_at_12:.5f} and {theirs.map_at_12:.5f}, within {TOLERANCE:.0%}"
    return f"{one} and {other}, each with models that it fitted itself: {said}; {found}"


def _run(subject: Subject, engine: Engine, folder: Path) -> Ran:
    seconds, memory = alone(run_line, subject.config, subject.store, engine, folder)
    kinds = {**kinds_of(folder), WHOLE: Kind(seconds, subject.store.manifest.rows, "transactions", memory)}
    metrics = json.loads((folder / "metrics.json").read_text())
    return Ran(kinds, (folder / "submission.csv").read_bytes(), metrics["map_at_12"]["ranker"])


def run_line(config: Config, store: Store, engine: Engine, folder: Path) -> tuple[float, float]:
    """Run the pipeline in `folder` on the data set `store`; return seconds, and MiB beyond those at the start."""
    start_logging()  # this is another process, where logging has not been started
    forget()
    before = highest()
    started = time.perf_counter()
    pipeline = Pipeline(config, engine, store, Run(folder, engine))
    with pipeline.working():
        pipeline.train()
        pipeline.evaluate()
        pipeline.recommend()
        pipeline.submit()
    return time.perf_counter() - started, highest() - before


def _measurements(ran: Mapping[str, Sequence[Ran]]) -> list[Measurement]:
    against = next(iter(ran))  # the CPU where it ran
    return [
        Measurement(
            what,
            kind.rows,
            kind.unit,
            against,
            {name: [each.kinds[what].seconds for each in runs] for name, runs in ran.items()},
            {name: most for name, runs in ran.items() if (most := _most(runs, what)) is not None},
        )
        for what, kind in ran[against][0].kinds.items()
    ]


def _most(runs: Sequence[Ran], what: str) -> float | None:
    return max((memory for each in runs if (memory := each.kinds[what].memory_mib) is not None), default=None)


def _without_models(config: Config) -> bool:
    parts = [*config.retrievers.values(), *config.features.values()]
    return isinstance(config.ranker, Order) and not any(part.encoded for part in parts)


def _same_places(ours: bytes, theirs: bytes) -> float:
    lists = [pl.read_csv(each, glob=False, schema_overrides=[pl.String, pl.String]) for each in (ours, theirs)]
    both = lists[0].join(lists[1], on="customer_id")
    places = [both[name].str.split(" ").explode() for name in ("prediction", "prediction_right")]
    return float((places[0] == places[1]).sum()) / max(1, len(both) * K)


def _named(engine: Engine) -> str:
    return f"hmgpu, {engine.name.upper()}"
