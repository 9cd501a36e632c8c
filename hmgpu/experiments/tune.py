"""Search for settings of the trees, on weeks before the one that is reported.

Every trial fits the ranker on the same examples and is scored on the week before the validation week, by a fit that was
stopped on the week before that: the validation week, on which pipelines are compared, and later weeks are never used.
Where pipelines are compared over several weeks, set `weeks.validation` to the first of them. The search is Optuna's
tree-structured Parzen estimator (Bergstra et al. 2011; Akiba et al. 2019).
"""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from rich.table import Table

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.core.extras import needed_by
from hmgpu.core.files import write_json
from hmgpu.core.list_length import K, list_length
from hmgpu.core.metrics import map_at
from hmgpu.core.trackers import Entry, send
from hmgpu.data.open_store import open_store
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.ranker import Ranker
from hmgpu.parts.rankers.xgboost import XGBoost
from hmgpu.pipeline.config import Config, load_config
from hmgpu.pipeline.learn import filler
from hmgpu.pipeline.lists import best_scored, top_k
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.pipeline.rhythm import measured
from hmgpu.pipeline.schedule import validation_week
from hmgpu.pipeline.tracking import settings_told

with needed_by("hmgpu tune"):
    import optuna


log = logging.getLogger(__name__)


def suggested(trial: optuna.Trial) -> dict[str, Any]:
    """Sample the settings of `xgboost` that are searched, around the values in the H&M write-ups."""
    return {
        "depth": trial.suggest_int("depth", 4, 10),
        "min_child_weight": round(trial.suggest_float("min_child_weight", 1, 200, log=True), 3),
        "l2": round(trial.suggest_float("l2", 0.1, 100, log=True), 3),
        "rows": round(trial.suggest_float("rows", 0.5, 1.0), 3),
        "columns": round(trial.suggest_float("columns", 0.2, 1.0), 3),
        "pairs": trial.suggest_int("pairs", 4, 30),
    }


def tune_trees(
    path: Path, settings: Sequence[str], at: str, trials: int, minutes: float | None, engine: Engine
) -> tuple[list[dict[str, Any]], Path]:
    """Run the trials; return them, best first, and the run's file `tuning-<at>-<trials>-trials.json` with them.

    Every trial is a step of the run: the same command goes on where it was stopped, and samples the same settings.

    Args:
        at: the place of the ranker `xgboost` in the config: `ranker`, or `ranker.then` in a cascade.
        trials: how many; the first is the config as it is.
        minutes: no trial is started after so many; None has no limit.
    """
    given = load_config(path, list(settings))
    _check(given, at)
    store = open_store(given.data, given.weeks.gap)
    reported = validation_week(given, store)
    weeks = given.weeks.model_copy(update={"validation": str(reported.back(2))})
    pipeline = open_pipeline(given.model_copy(update={"weeks": weeks}), engine)
    started = time.monotonic()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=given.seed))
    scored: list[dict[str, Any]] = []
    k = given.lists.k
    with pipeline.working():
        week = Trials(pipeline, at)
        for number in range(trials):
            if minutes is not None and time.monotonic() - started > 60 * minutes:
                log.warning("%g minutes are over after %d of %d trials", minutes, number, trials)
                break
            trial = None if number == 0 else study.ask()
            sampled = suggested(trial) if trial else {}
            tried = load_config(path, [*settings, *(f"{at}.{name}={value}" for name, value in sampled.items())])
            tried = measured(tried.model_copy(update={"weeks": weeks}), store, engine, pipeline.run)
            score = week.score(tried.ranker, number)
            if trial:
                study.tell(trial, score)
            what = sampled or "the config as it is"
            log.info("trial %d of %d: MAP@%d %.5f with %s", number + 1, trials, k, score, what)
            scored.append({"trial": number, "settings": sampled, f"map_at_{k}": score})
    scored.sort(key=lambda each: (-each[f"map_at_{k}"], each["trial"]))
    file = pipeline.run.folder / f"tuning-{at}-{len(scored)}-trials.json"
    write_json(file, {"at": at, "week": str(reported.back(1)), "stopped_on": str(reported.back(2)), "trials": scored})
    send(given.tracking, lambda: _told(given, at, scored, file))
    return scored, file


def _told(config: Config, at: str, scored: Sequence[Mapping[str, Any]], file: Path) -> Entry:
    """Return what a tracker is told of the trials: MAP@k of each, in their order, and the settings of the best."""
    name, best = f"map_at_{config.lists.k}", scored[0]
    tags = {"verb": "tune", "at": at}
    settings = settings_told(config.settings()) | {"best": best["settings"]}
    trials = sorted(scored, key=lambda each: int(each["trial"]))
    curves = {f"trials/{name}": [each[name] for each in trials]}
    return Entry(f"{file.parent.name}-{file.stem}", tags, settings, {name: best[name]}, curves, [file])


def _check(config: Config, at: str) -> None:
    place: Any = config
    for name in at.split("."):
        place = place.get(name) if isinstance(place, Mapping) else getattr(place, name, None)
    if not isinstance(place, XGBoost):
        raise ConfigError(f"--at {at}: the config has no ranker xgboost there; in a cascade it is at ranker.then.")


class Trials:
    """Fits rankers on the examples of a pipeline and scores them on the week after its validation week."""

    def __init__(self, pipeline: Pipeline, at: str) -> None:
        self.pipeline, self.at, self.week = pipeline, at, pipeline.weeks.validation.back(-1)
        self.training, training_steps = pipeline.training
        self.validation, validation_steps = pipeline.validation
        self.judged, judged_steps = pipeline.examples(self.week, training=False)
        self.steps = [step.digest for step in (*training_steps, *validation_steps, *judged_steps)]

    def score(self, ranker: Ranker, number: int) -> float:
        """Fit `ranker` and return its MAP@k."""

        def write(folder: Path) -> None:
            pipeline = self.pipeline
            model = ranker.fit(self.training, self.validation, pipeline.engine, pipeline.config.seed)
            labels = pipeline.engine.collect(pipeline.store.sold_in(self.week))
            k = pipeline.config.lists.k
            tables = (table.select(KEYS).with_columns(score=model.score(table)) for table in self.judged.tables())
            history = pipeline.store.as_of(self.week.first_day)
            scored = [best_scored(pipeline.context.reranked(table, history), k, pipeline.engine) for table in tables]
            best_sellers = filler(pipeline.learn(self.week))
            buyers = labels.lazy().select("customer").unique()
            pairs = pipeline.learning.exclusions.pairs(history)
            lists = pipeline.engine.collect(top_k(pl.concat(scored).lazy(), buyers, best_sellers, k, pairs))
            write_json(folder / "score.json", {"map": map_at(lists, labels, k)})

        settings = ranker.settings() | {"seed": self.pipeline.config.seed} | self.pipeline.context.list_settings()
        step = self.pipeline.run.step(f"{self.week}/tune/{self.at}/{number:03}", settings, self.steps, write)
        return float(json.loads((step.folder / "score.json").read_text())["map"])


def tuning_table(scored: Sequence[Mapping[str, Any]]) -> Table:
    """Return a table of the trials, the best first."""
    k = list_length(scored[0]) if scored else K
    names = list(next((each["settings"] for each in scored if each["settings"]), {}))
    table = Table(title="Trials, scored on the week before the validation week")
    for heading in ("trial", f"MAP@{k}", *names):
        table.add_column(heading, justify="right")
    for each in scored:
        values = [str(each["settings"].get(name, "as it is")) for name in names]
        table.add_row(str(each["trial"]), f"{each[f'map_at_{k}']:.5f}", *values)
    return table
