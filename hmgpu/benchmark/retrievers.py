"""`hmgpu benchmark retrievers`: what each retriever finds by itself, and the time and memory that this takes.

Each of the config's retrievers learns by itself, in a process of its own, from all that was known before each of the
last weeks, and proposes articles to the customers who bought in that week. A model is trained at the week's cutoff, as
fresh as with `refit: 1`; workflows are fitted there too. What it adds to others, `hmgpu evaluate --ablate` says.
"""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from statistics import fmean
from typing import Any

import polars as pl
from rich.table import Table

from hmgpu.benchmark.memory import forget, highest
from hmgpu.benchmark.quality import Estimate, ratio
from hmgpu.benchmark.result import Result
from hmgpu.benchmark.subject import Subject
from hmgpu.core.alone import alone
from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.data.store import Store
from hmgpu.data.weeks import Week
from hmgpu.parts.candidates import KEYS, MOST
from hmgpu.parts.part import FittedEncoders, PartContext, Trained
from hmgpu.parts.retriever import Retriever
from hmgpu.pipeline.learn import all_learned
from hmgpu.pipeline.schedule import scored_weeks
from hmgpu.pipeline.usable_parts import lacks

PLACES = (12, 100, 200)


@dataclass(frozen=True)
class Proposed:
    """What one retriever proposed in one week."""

    hits: pl.DataFrame
    """(customer, bought, a column `hits_<places>` for each of `PLACES`) of everybody who bought."""
    candidates: int
    training: float
    """Seconds to train its model; 0 where it has none."""
    seconds: float
    """Seconds to learn its tables and to propose to the week's buyers."""
    memory_mib: float
    """The most that the process held, imports included."""


def benchmark_retrievers(subject: Subject, engine: Engine, weeks: int, seeds: int) -> "Recall":
    """Measure recall, positive rate, time and memory of the config's retrievers over the last `weeks` weeks.

    Args:
        engine: what they run on.
        seeds: how many seeds each is measured with, the config's and those after it.

    Raises ConfigError where none of them can run on the data.
    """
    store, config = subject.store, subject.config
    last = scored_weeks(config, store, weeks)
    unusable = {name: lacks(part, store, last[0]) for name, part in config.retrievers.items()}
    absent = {name: reason for name, reason in unusable.items() if reason is not None}
    usable = {name: _asked_for(max(PLACES), part) for name, part in config.retrievers.items() if name not in absent}
    if not usable:
        raise ConfigError(f"No retriever of the config can run: {'; '.join(f'{k}: {v}' for k, v in absent.items())}.")
    rows = []
    for name, part in usable.items():
        found = [
            [alone(proposed, part, store, week, engine, subject.seed + number, config.encode.days) for week in last]
            for number in range(seeds)
        ]
        rows.append(_figures(name, part, found))
    settings = {
        "seeds": [subject.seed + number for number in range(seeds)],
        "engine": engine.name,
        "fitted_days": config.encode.days,
        "threads": pl.thread_pool_size(),
    }
    buyers = sum(week.hits.height for week in found[0])
    data = subject.data_facts() | {"weeks": [str(week) for week in last], "buyers": buyers}
    return Recall("retrievers", [], {}, settings, data, absent, rows)


def proposed(part: Retriever, store: Store, week: Week, engine: Engine, seed: int, fitted_days: int) -> Proposed:
    """Let `part` learn from what was known before `week`, and propose to those who bought in it."""
    history, labels = store.as_of(week.first_day), engine.collect(store.sold_in(week))
    buyers = labels.select("customer").unique().sort("customer")
    with tempfile.TemporaryDirectory() as folder:
        encoders = cache(partial(_encoders, history, fitted_days, engine, Path(folder) / "encoders"))
        context = PartContext(engine, seed, encoders, cache=Path(folder) / "cache")
        if part.encoded:
            encoders()
        forget()
        model, started = None, time.perf_counter()
        if isinstance(part, Trained):
            model = Path(folder) / "model"
            model.mkdir()
            part.bind(context).train(history, model, Path(folder) / "work")
        trained = time.perf_counter()
        bound = part.bind(replace(context, model=model))
        tables = all_learned(bound, history, history.of(buyers.lazy()), engine)
        candidates = engine.collect(bound.retrieve(tables, buyers.lazy()))
        ended = time.perf_counter()
    training = trained - started if model else 0.0
    return Proposed(counted(candidates, labels), candidates.height, training, ended - trained, highest())


def counted(candidates: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Return (customer, bought, hits_…) of everybody who bought, in order of customers.

    Args:
        candidates: (customer, article, rank). labels: (customer, article) bought in the week, each once.
    """
    ranks = labels.join(candidates.select(*KEYS, "rank"), on=KEYS, how="left")
    hits = [(pl.col("rank") <= places).sum().cast(pl.Int64).alias(f"hits_{places}") for places in PLACES]
    return ranks.group_by("customer").agg(pl.len().cast(pl.Int64).alias("bought"), *hits).sort("customer")


def _encoders(history: Any, days: int, engine: Engine, folder: Path) -> FittedEncoders:
    from hmgpu.parts.models.encode.workflow import Encoders  # loads Merlin, which takes seconds

    return Encoders.fit(history, days, engine, folder)


def _asked_for(n: int, part: Retriever) -> Retriever:
    return part.model_copy(update={"n": min(n, MOST)})


def _figures(name: str, part: Retriever, found: Sequence[Sequence[Proposed]]) -> dict[str, Any]:
    """Return a retriever's entry in the result; `found` has all weeks of each seed."""
    each = [week for weeks in found for week in weeks]
    hits = [week.hits for week in each]
    recalls = {f"recall_at_{places}": ratio(hits, f"hits_{places}", "bought") for places in PLACES}
    candidates = sum(week.candidates for week in each)
    return {
        "name": name,
        **recalls,
        "by_seed": [ratio([week.hits for week in weeks], "hits_100", "bought")["value"] for weeks in found],
        "positive_rate": sum(int(table["hits_200"].sum()) for table in hits) / max(candidates, 1),
        "training_seconds": round(fmean(week.training for week in each), 2),
        "seconds": round(fmean(week.seconds for week in each), 2),
        "memory_mib": round(max(week.memory_mib for week in each)),
        "settings": part.settings(),
    }


@dataclass(frozen=True)
class Recall(Result):
    """A benchmark's result of what retrievers find."""

    retrievers: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    """Each retriever's figures, in the order of the config."""

    def table(self) -> Table:
        weeks, seeds = self.data["weeks"], self.settings["seeds"]
        title = f"{self.data['buyers']:,} lists for customers who bought in the weeks {weeks[0]} to {weeks[-1]}"
        caption = f"{len(seeds)} seeds; 95 % interval over customers; bought: share of candidates; seconds are a week's"
        table = Table("retriever", title=title, caption=caption)
        for name in (*(f"recall@{places}" for places in PLACES[:2]), "95 %", f"recall@{PLACES[-1]}", "bought"):
            table.add_column(name, justify="right")
        for name in ("training s", "seconds", "MiB"):
            table.add_column(name, justify="right")
        for each in self.retrievers:
            first, middle, last = (each[f"recall_at_{places}"] for places in PLACES)
            cells = [f"{first['value']:.4f}", f"{middle['value']:.4f}", _interval(middle), f"{last['value']:.4f}"]
            cells += [f"{each['positive_rate']:.4f}", f"{each['training_seconds']:,.1f}", f"{each['seconds']:,.1f}"]
            table.add_row(each["name"], *cells, f"{each['memory_mib']:,}")
        for name, reason in self.absent.items():
            table.add_row(name, reason, style="dim")
        return table

    def as_json(self, command: str) -> dict[str, Any]:
        return super().as_json(command) | {"retrievers": [dict(each) for each in self.retrievers]}


def _interval(estimate: Estimate) -> str:
    return f"{estimate['low']:.4f} to {estimate['high']:.4f}"
