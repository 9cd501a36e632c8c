"""Open a finished run together with the data set that it was made from."""

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.core.parquet import read_table, scan_table
from hmgpu.data.explore.whole import Whole
from hmgpu.data.manifest import NAME
from hmgpu.data.store import History, Store
from hmgpu.data.weeks import Week, day_number
from hmgpu.parts.ranker import Model
from hmgpu.pipeline.config import load_config
from hmgpu.pipeline.evaluate import LISTS, METRICS, PRECISIONS
from hmgpu.pipeline.learn import TABLE
from hmgpu.pipeline.served_tables import ARTICLES, RECOMMENDATIONS
from hmgpu.serving.finished_run import FITS, FinishedRun
from hmgpu.serving.held_lists import HeldLists
from hmgpu.serving.learned_run import LearnedRun
from hmgpu.serving.similar import Spaces

COMPARED = 1_000  # customers whose keys are compared with the data set's: another one has others from the first on


@dataclass(frozen=True)
class HeldOutWeek:
    """The evaluated week of a run: what the run would have recommended, and what was bought."""

    week: Week
    metrics: Mapping[str, Any]
    """The content of `metrics.json`."""
    precisions: pl.DataFrame
    """(customer, segment, ranker, …): the average precision of each buyer's list."""
    lists: pl.DataFrame
    """(customer, article, rank): each buyer's list."""
    bought: pl.DataFrame
    """(customer, article): what they bought in the week, each pair once."""
    examples: tuple[Path, ...]
    """Files of all candidates of these customers, with every retriever's rank and all features."""


class OpenRun:
    """A finished run and its data set, read only. Ids are the retailer's own."""

    def __init__(self, place: Path) -> None:
        """Open the run in the folder, or behind the link, `place`.

        Raises RunError where the run is not finished, DataError where its data set is not there, or another one is.
        """
        self.run = FinishedRun.open(place)
        self.engine = Engine("cpu", "the app")
        self.store = Store(data_of(self.run), int(self.run.config.get("weeks", {}).get("gap", 0)))
        self._refuse_other_keys()

    @property
    def name(self) -> str:
        return self.run.folder.name

    @cached_property
    def last_day(self) -> int:
        """The last day that the run knew; the data set may have been added to since."""
        try:
            known = day_number(datetime.date.fromisoformat(str(self.run.manifest.get("last_day"))))
        except ValueError:
            return self.store.last_day
        return min(known, self.store.last_day)

    @cached_property
    def history(self) -> History:
        """All that the run knew when it made the lists."""
        return self.store.known_before(self.last_day + 1)

    @cached_property
    def whole(self) -> Whole:
        """The data set as it is now, counted week by week."""
        return Whole(self.store, self.engine)

    @property
    def next_week(self) -> Week:
        """The week that the lists are for."""
        return Week(self.last_day + 1 + self.store.gap)

    @cached_property
    def held_out(self) -> HeldOutWeek | None:
        """The evaluated week; None where the run was not evaluated."""
        judged = self.run.evaluated
        if judged is None:
            return None
        metrics = json.loads(judged.file(METRICS).read_text(encoding="utf-8"))
        week = self.store.week_of(metrics["week"])
        examples = self.run.steps_with(judged.inputs, f"{week}/examples/*")
        return HeldOutWeek(
            week,
            metrics,
            read_table(judged.file(PRECISIONS)),
            read_table(judged.file(LISTS)),
            self.engine.collect(self.store.sold_in(week).sort("customer", "article")),
            tuple(step.file(TABLE) for step in examples),
        )

    @cached_property
    def model(self) -> Model:
        """The ranker that was evaluated. Raises ConfigError where a part of the config is not installed here."""
        ranker = load_config(self.run.folder / "config.yaml").ranker
        judged = self.run.evaluated
        assert judged is not None, "only candidates of an evaluated week are scored again"
        fitted = self.run.steps_with(judged.inputs, *FITS)[0]
        for name in fitted.files:
            fitted.file(name)
        return ranker.load(fitted.folder, self.engine)

    @cached_property
    def lists(self) -> HeldLists:
        """Everybody's list for the week after the data."""
        return HeldLists.read(self.run)

    @cached_property
    def spaces(self) -> Spaces:
        """The vectors of articles that the run learned, and the data set's."""
        return Spaces.read(self.run, self.store)

    @cached_property
    def learned(self) -> LearnedRun:
        """All that the lists were computed from.

        Raises RunError where the data set is another than the one that the run learned from, or a package is missing.
        """
        return LearnedRun.open(self.run, self.store.root)

    def _refuse_other_keys(self) -> None:
        """Raise DataError where the data set calls customers or articles by other keys than the run."""
        lists = scan_table(self.run.submitted.file(RECOMMENDATIONS)).select("customer", "customer_id")
        pairs = (
            (scan_table(self.run.submitted.file(ARTICLES)).select("article", "article_id"), self.store.article_ids()),
            (lists.head(COMPARED), self.store.customer_ids()),
        )
        for ours, theirs in pairs:
            if self.engine.collect(ours.join(theirs, on=ours.collect_schema().names(), how="anti")).height:
                raise DataError(
                    f"The data set in {self.store.root} is not the one that the run {self.name} was made from: start "
                    "`hmgpu app` in the folder where the run was started, or retrain."
                )


def data_of(run: FinishedRun) -> Path:
    """Return the folder of the run's data set: as its config has it, from here or from where the run was started."""
    root, runs = Path(run.config["data"]["root"]), Path(run.config.get("runs", "runs"))
    places = [root]
    if not root.is_absolute() and not runs.is_absolute() and run.folder.parts[-len(runs.parts) - 1 : -1] == runs.parts:
        places.append(Path(*run.folder.parts[: -len(runs.parts) - 1]) / root)
    for place in places:
        if (place / NAME).is_file():
            return place
    raise DataError(
        f"The data set of the run {run.folder.name} is not in {root}: start `hmgpu app` in the folder where the run "
        "was started, or put the data set there."
    )
