"""`hmgpu benchmark peers`: how good hmgpu's lists are next to the lists of well-known public recommenders.

In each of the last weeks, all recommend to the customers who bought in it, from what was known before it, and all lists
are filled with the same best sellers. A peer's settings are tried on the week before these, and the best are kept;
hmgpu's pipeline has the settings of its config. In the table too, as they are: its candidates in the order of their
retrievers, without the ranker, and the baselines of every evaluation (`pipeline/baselines.py`).
"""

import logging
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from statistics import fmean

import polars as pl

from hmgpu.benchmark.agreement import DisagreementError
from hmgpu.benchmark.own_pipeline import Own, evaluated, recommended_lists
from hmgpu.benchmark.peer_runs import CPU, available, buyers, recommend, tried
from hmgpu.benchmark.peers import Peer
from hmgpu.benchmark.quality import Quality, Row, judged
from hmgpu.benchmark.subject import Subject
from hmgpu.core.alone import alone
from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.data.weeks import Week
from hmgpu.evaluation.method_names import BASELINES
from hmgpu.experiments.folds import evaluate_folds, fold_pipelines
from hmgpu.pipeline.baselines import baseline_lists
from hmgpu.pipeline.schedule import scored_weeks

log = logging.getLogger(__name__)

OWN = "hmgpu"
OWN_ORDER = "hmgpu's retrievers, in order"


def benchmark_peers(
    subject: Subject, engine: Engine, names: Sequence[str], folds: int, against: Path | None, line: bool
) -> Quality:
    """Measure MAP@12 and recall@12 of hmgpu's pipeline, the baselines and the peers `names` in the last `folds` weeks.

    Args:
        engine: what hmgpu's pipeline runs on.
        against: the figures of a finished evaluation of these weeks, reused instead of evaluating again; they come
            without lists, so without recall.
        line: whether hmgpu's pipeline takes part.

    Raises RunError where `against` has other weeks or data, DataError where the pipeline was judged on other customers.
    """
    store = subject.store
    weeks = scored_weeks(subject.asked, store, folds)
    labels = [_bought(subject, week) for week in weeks]
    peers, absent = available(names, store.present)
    rows = _own(subject, engine, weeks, labels, against) if line else []
    rows += _baselines(subject, weeks, labels)
    rows += [_peer(name, peer, subject, weeks, labels) for name, peer in peers.items()]
    figures = [row.figures(rows[0] if line else None) for row in rows]
    settings = {
        "config": subject.asked.settings() if line and against is None else None,
        "against": str(against) if against else None,
        "folds": folds,
        "tried": {name: [dict(each) for each in peer.settings] for name, peer in peers.items()},
        "tried_on": str(weeks[0].back(1)),
        "libraries": {each: metadata.version(each) for peer in peers.values() for each in peer.libraries},
        "engine": engine.name if line and against is None else None,
        "threads": pl.thread_pool_size(),
    }
    buyers = sum(each["customer"].n_unique() for each in labels)
    data = subject.data_facts() | {"weeks": [str(week) for week in weeks], "buyers": buyers}
    best_first = sorted(figures, key=lambda each: -each["map_at_12"]["value"])
    return Quality("peers", [], {}, settings, data, absent, best_first)


def _own(
    subject: Subject, engine: Engine, weeks: Sequence[Week], labels: Sequence[pl.DataFrame], against: Path | None
) -> list[Row]:
    """The ranker's lists, and those in the order of the config's retrievers."""
    if against is not None:
        found = evaluated(against, subject.store, weeks)
        judgements = [each.precisions for each in found]
    else:
        pipelines = list(fold_pipelines(subject.asked, engine, len(weeks)))
        _, file = evaluate_folds(pipelines, subject.asked.runs)
        found = evaluated(file, subject.store, weeks)
        judgements = [judged(recommended_lists(*fold), bought) for fold, bought in zip(pipelines, labels, strict=True)]
    for week, each, judgement, bought in zip(weeks, found, judgements, labels, strict=True):
        _check(week, each, judgement, bought)
    memory = [each.memory_mib for each in found if each.memory_mib is not None]
    ranked = Row(OWN, judgements, fmean(each.seconds for each in found), max(memory, default=None))
    return [ranked, Row(OWN_ORDER, [each.order for each in found], None, None)]


def _check(week: Week, own: Own, judgement: pl.DataFrame, bought: pl.DataFrame) -> None:
    """Raise unless hmgpu's pipeline was judged on the week's buyers, and its lists have its evaluation's figures."""
    if own.precisions["customer"].to_list() != sorted(bought["customer"].unique()):
        raise DataError(f"hmgpu's pipeline was not judged on the customers who bought in {week}: evaluate it again.")
    if not judgement.select("customer", "average_precision").equals(own.precisions):
        raise DisagreementError(f"hmgpu's lists of the week {week} have other figures than its evaluation wrote.")


def _peer(name: str, peer: Peer, subject: Subject, weeks: Sequence[Week], labels: Sequence[pl.DataFrame]) -> Row:
    before, seed = weeks[0].back(1), subject.seed
    scores = alone(tried, name, subject.store, before, _bought(subject, before), seed)
    settings = peer.settings[scores.index(max(scores))]
    log.info("%s, %s, tried: MAP@12 %s", name, before, ", ".join(f"{score:.5f}" for score in scores))
    judgements, seconds, memory = [], [], []
    for week, bought in zip(weeks, labels, strict=True):
        # Each in a process of its own, so that none gains or loses by what another left in memory.
        found = alone(recommend, name, subject.store, week, buyers(bought), seed, settings)
        judgements.append(judged(found.lists, bought))
        seconds.append(found.seconds)
        memory.append(found.memory_mib)
        log.info("%s, %s: %.1f s", name, week, found.seconds)
    return Row(name, judgements, fmean(seconds), max(memory), settings)


def _baselines(subject: Subject, weeks: Sequence[Week], labels: Sequence[pl.DataFrame]) -> list[Row]:
    rows = []
    for key, name in BASELINES.items():
        judgements, started = [], time.perf_counter()
        for week, bought in zip(weeks, labels, strict=True):
            lists = baseline_lists(subject.store.as_of(week.first_day), buyers(bought).lazy())
            judgements.append(judged(CPU.collect(lists[key]), bought))
        rows.append(Row(name, judgements, (time.perf_counter() - started) / len(weeks), None))
    return rows


def _bought(subject: Subject, week: Week) -> pl.DataFrame:
    return CPU.collect(subject.store.sold_in(week).sort("customer", "article"))
