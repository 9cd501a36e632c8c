"""Several configs side by side: each scored on the same last weeks, all of them in one table.

Each works in a process of its own, so that seconds and memory are its own, and one that fails doesn't end the others.
"""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

import polars as pl
from rich.table import Table

from hmgpu.core.alone import alone
from hmgpu.core.certainty import holm
from hmgpu.core.choices import Choice
from hmgpu.core.console import start_logging
from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError, DataError, HmgpuError, RunError, reason
from hmgpu.core.files import digest_of, write_json, write_text
from hmgpu.core.parquet import read_table
from hmgpu.core.printed import figures_table
from hmgpu.data.open_store import open_store
from hmgpu.evaluation.method_names import BASELINES
from hmgpu.evaluation.report.backtests import backtests_page
from hmgpu.experiments.compare import BUYER, paired
from hmgpu.experiments.folds import Folds, evaluate_folds, fold_pipelines
from hmgpu.pipeline.config import Config, load_config
from hmgpu.pipeline.schedule import scored_weeks
from hmgpu.pipeline.tracking import track_folds
from hmgpu.runs.cost import cost_of

log = logging.getLogger(__name__)

# Raised by a config that can't run on the data: a part or a column that it needs isn't there, or too few weeks are.
IMPOSSIBLE = (ConfigError, DataError, RunError, pl.exceptions.ColumnNotFoundError)
Scored = tuple[dict[str, Any], Path, list[Path]]
"""The figures of all folds, the file with them, and the folders of the runs."""


def backtests(
    configs: Sequence[str | Path], folds: int, settings: Sequence[str] = (), engine: Choice | None = None
) -> tuple[dict[str, Any], Path]:
    """Score each config on the last `folds` weeks; return the figures of all and the file with them, next to a page.

    Args:
        configs: paths, or names of configs that come with hmgpu, each once.
        settings: `key.key=value`, put over each of them.
        engine: cpu, gpu or auto; None takes each config's.

    Returns:
        `configs`, for each `map_at_<k>` of its ranker over all weeks and in each, its 95 % interval, the mean of a
        week's seconds and the most memory, or the `reason` why it can't run; `baselines`, likewise; `pairs`, each
        config and baseline against each other one: `difference`, positive where the second is better, its interval,
        its p-value, and the one that is corrected for the number of pairs.

    Raises ConfigError where configs have different data, weeks or lengths of lists, or none can run.
    """
    names = [str(config) for config in configs]
    if len(set(names)) < len(names):
        raise ConfigError("A config is named twice; name each once.")
    loaded, reasons = _loaded(names, settings)
    _check_alike(loaded)
    scored = dict[str, Scored]()
    for number, name in enumerate(loaded, 1):
        log.info("config %d of %d: %s", number, len(loaded), name)
        try:
            scored[name] = alone(_scored, name, folds, list(settings), engine, _levels())
            figures, file, _ = scored[name]
            track_folds(loaded[name], "backtest", figures, file)
        except IMPOSSIBLE as error:
            reasons[name] = reason(error)
        except BrokenProcessPool:
            reasons[name] = "its process was ended, as a system without memory does"
        if name in reasons:
            log.warning("%s can't run here: %s", name, reasons[name])
    if not scored:
        raise ConfigError(
            f"None of the configs can run here. {'. '.join(f'{n}: {why}' for n, why in reasons.items())}."
        )
    runs = next(iter(loaded.values())).runs
    found = _found(names, scored, reasons)
    weeks = found["weeks"]
    digest = digest_of([str(file) for _, file, _ in scored.values()])[:8]
    file = runs / f"backtest-{len(scored)}-configs-{len(weeks)}-weeks-to-{weeks[-1]}-{digest}.json"
    write_json(file, found)
    write_text(file.with_suffix(".html"), backtests_page(found))
    return found, file


def _loaded(names: Sequence[str], settings: Sequence[str]) -> tuple[dict[str, Config], dict[str, str]]:
    """Return the configs by name, and why each of the others can't be loaded."""
    loaded, reasons = dict[str, Config](), dict[str, str]()
    for name in names:
        try:
            loaded[name] = load_config(name, settings)
        except ConfigError as error:
            reasons[name] = reason(error)
            log.warning("%s can't run here: %s", name, reasons[name])
    return loaded, reasons


def _check_alike(loaded: dict[str, Config]) -> None:
    """Raise ConfigError unless all can be compared: before hours of work, not after."""
    facts = {
        name: {
            "data.root": config.data.root.resolve(),
            "lists.k": config.lists.k,
            "the last week": scored_weeks(config, open_store(config.data), 1)[0],
        }
        for name, config in loaded.items()
    }
    for (first, ours), (second, theirs) in combinations(facts.items(), 2):
        for what, value in ours.items():
            if value != theirs[what]:
                raise ConfigError(
                    f"{first} and {second} can't be compared: {what} is {value} in one and {theirs[what]} in the "
                    "other; --set is put over all of them."
                )


def _levels() -> list[int]:
    return [handler.level for handler in logging.getLogger("hmgpu").handlers]


def _scored(name: str, folds: int, settings: list[str], engine: Choice | None, levels: Sequence[int] = ()) -> Scored:
    """Evaluate the folds of one config.

    Args:
        levels: from which each of the log's handlers shows lines, for a process that has none yet.
    """
    if levels and not _levels():
        start_logging()
        for handler, level in zip(logging.getLogger("hmgpu").handlers, levels, strict=False):
            handler.setLevel(level)
    config = load_config(name, settings)
    runs = list[Path]()
    pipelines = fold_pipelines(config, Engine.choose(engine or config.engine), folds)
    found, file = evaluate_folds(_noting(pipelines, runs), config.runs)
    return found, file, runs


def _noting(folds: Folds, runs: list[Path]) -> Iterator[Any]:
    for pipeline, week in folds:
        runs.append(pipeline.run.folder)
        yield pipeline, week


def _found(names: Sequence[str], scored: dict[str, Scored], reasons: dict[str, str]) -> dict[str, Any]:
    (first, _, _), k = next(iter(scored.values())), _k(scored)
    ranked = {name: _figures(found, "ranker", k) | _costs(file, runs) for name, (found, file, runs) in scored.items()}
    simple = [name for name in BASELINES if name in first["all"][f"map_at_{k}"]]
    rows = _precisions(scored, simple)
    columns = [*scored, *(BASELINES[name] for name in simple)]
    return {
        "weeks": [fold["week"] for fold in first["folds"]],
        "customers": first["all"]["customers"],
        "k": k,
        "configs": {name: ranked[name] if name in ranked else {"reason": reasons[name]} for name in names},
        "baselines": {BASELINES[name]: _figures(first, name, k) for name in simple},
        "pairs": _pairs(rows, columns, k),
    }


def _k(scored: dict[str, Scored]) -> int:
    found, _, _ = next(iter(scored.values()))
    return int(found["settings"]["lists"]["k"])


def _figures(found: dict[str, Any], method: str, k: int) -> dict[str, Any]:
    figures = found["all"]
    return {
        f"map_at_{k}": figures[f"map_at_{k}"][method],
        "interval": list(figures[f"map_at_{k}_interval"][method]),
        "weeks": [fold[f"map_at_{k}"][method] for fold in found["folds"]],
    }


def _costs(file: Path, runs: Sequence[Path]) -> dict[str, Any]:
    costs = [cost_of(run) for run in runs]
    return {
        "seconds": round(fmean(seconds for seconds, _ in costs), 1),
        "peak_gib": max(peak for _, peak in costs),
        "file": str(file),
    }


def _precisions(scored: dict[str, Scored], baselines: Sequence[str]) -> pl.DataFrame:
    """Return (week, customer, each config's average precision, each baseline's), a row a buyer and week."""
    (_, first, _), *_ = scored.values()
    rows = read_table(first.with_suffix(".parquet")).select(
        *BUYER, **{BASELINES[name]: pl.col(name) for name in baselines}
    )
    for name, (_, file, _) in scored.items():
        own = read_table(file.with_suffix(".parquet")).select(*BUYER, pl.col("ranker").alias(name))
        joined = rows.join(own, on=BUYER, validate="1:1")
        if not joined.height == rows.height == own.height:
            raise HmgpuError(f"{name} was scored on other customers than {next(iter(scored))}: evaluate both again.")
        rows = joined
    return rows.sort(BUYER)


def _pairs(rows: pl.DataFrame, columns: Sequence[str], k: int) -> list[dict[str, Any]]:
    found = []
    for first, second in combinations(columns, 2):
        both = rows.select("customer", ranker=pl.col(first), ranker_second=pl.col(second))
        measured = paired(both, k)
        found.append(
            {"first": first, "second": second}
            | {key: measured[key] for key in ("difference", "low", "high", "p_value")}
        )
    corrected = holm([pair["p_value"] for pair in found])
    return [pair | {"corrected": p} for pair, p in zip(found, corrected, strict=True)]


def backtests_table(found: dict[str, Any]) -> Table:
    """Return a table of the configs and baselines, each next to the first config, in 80 columns."""
    k, weeks = found["k"], found["weeks"]
    first = next(name for name, each in found["configs"].items() if "reason" not in each)
    against = {pair["second"]: pair for pair in found["pairs"] if pair["first"] == first}
    table = figures_table(
        f"{weeks[0]} to {weeks[-1]}, {found['customers']:,} buyers; each week scored by rankers fitted before it",
        ["config"],
        [f"MAP@{k}\n95 %", "ahead of first\n95 %", "p", "s/week\nGiB"],
        f"first: {first}; p is corrected for the number of pairs; seconds are of all steps, reused ones included",
    )
    for name, each in (found["configs"] | found["baselines"]).items():
        if "reason" in each:
            table.add_row(f"{name}\ncan't run: {each['reason']}", "–", "–", "–", "–", style="dim")
            continue
        score = f"{each[f'map_at_{k}']:.5f}\n{each['interval'][0]:.5f}–{each['interval'][1]:.5f}"
        ahead, p = _ahead(against[name]) if name in against else ("–", "–")
        cost = f"{each['seconds']:,.0f}\n{each['peak_gib']:.1f}" if "seconds" in each else "–"
        table.add_row(name, score, ahead, p, cost)
    return table


def _ahead(pair: dict[str, Any]) -> tuple[str, str]:
    return f"{pair['difference']:+.5f}\n{pair['low']:+.5f} to {pair['high']:+.5f}", f"{pair['corrected']:.4f}"
