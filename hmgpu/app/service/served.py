"""What the service answers from: one run, loaded whole, and swapped for another in one move."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from hmgpu.core.errors import HmgpuError
from hmgpu.data.clean_ids import cleaned
from hmgpu.serving.baskets import Baskets
from hmgpu.serving.finished_run import FinishedRun
from hmgpu.serving.held_lists import HeldLists
from hmgpu.serving.learned_run import LearnedRun
from hmgpu.serving.similar import Spaces

log = logging.getLogger(__name__)

EVERY, AGAIN = 1.0, 60.0  # seconds between looks at the link, and until a run that can't be loaded is tried again


@dataclass(frozen=True)
class Served:
    """A run in memory. Nothing of it changes: whoever has it answers from one run alone."""

    run: FinishedRun
    lists: HeldLists
    spaces: Spaces
    baskets: Baskets | None
    without_baskets: str | None
    """Why there are none: lists need only the run, baskets the data set and what the run's parts were computed with."""
    since: float = field(default_factory=time.time)

    @classmethod
    def load(cls, place: Path, data: Path | None = None) -> "Served":
        """Load the finished run in the folder, or behind the link, `place`.

        Args:
            place: RUNS/<id>, or RUNS/current.
            data: the folder of its data set; None: the one that its config names.

        Raises RunError where it isn't a finished run, or was changed.
        """
        run = FinishedRun.open(place)
        lists = HeldLists.read(run)
        baskets, problem = None, None
        try:
            baskets = Baskets(LearnedRun.open(run, data), lists)
            baskets.warm()
        except HmgpuError as error:
            baskets, problem = None, str(error)
            log.warning("no baskets: %s", error)
        return cls(run, lists, Spaces.read(run, baskets.run.context.store if baskets else None), baskets, problem)

    @property
    def name(self) -> str:
        return self.run.folder.name

    def clean(self, id_: str) -> str:
        """Return an id as the data set has it (`data.clean_ids`)."""
        steps = self.run.config.get("data", {}).get("clean_ids")
        return str(pl.select(cleaned(pl.lit(id_), steps)).item()) if steps else id_


class Current:
    """The run that is served now; a thread looks whether the link leads elsewhere, and loads what is there."""

    def __init__(self, place: Path, data: Path | None = None, every: float = EVERY) -> None:
        """Load the run at `place`; see `Served.load`."""
        self.place, self.data, self.every = place, data, every
        self.served = Served.load(place, data)
        self.problem: str | None = None
        """Why the run that the link leads to is not served; the one before it is meanwhile."""
        self.swapped: Callable[[Served | None], None] = lambda served: None
        """Called after each try with what is served now, None if it failed."""
        self._failed: tuple[Path, float] | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="hmgpu-reload", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def look(self) -> bool:
        """Load what the link leads to where that is another run; return whether it is served now."""
        folder = self.place.resolve()
        if folder == self.served.run.folder:
            self.problem = self._failed = None
            return False
        if self._failed is not None and self._failed[0] == folder and time.monotonic() < self._failed[1]:
            return False
        try:
            self.served = Served.load(folder, self.data)
        except Exception as error:  # whatever it is, the run that is served goes on being served
            self.problem, self._failed = str(error), (folder, time.monotonic() + AGAIN)
            log.warning("still serving %s: %s", self.served.name, error)
            self.swapped(None)
            return False
        self.problem = self._failed = None
        log.info("serving %s", self.served.name)
        self.swapped(self.served)
        return True

    def _watch(self) -> None:
        while not self._end.wait(self.every):
            self.look()
