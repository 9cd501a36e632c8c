"""A small model of a retailer's machine: a season with a run that is served, and what must hold after any fault."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from faults.forks import Ended

from hmgpu.core.files import sha256
from hmgpu.data.store import Store
from hmgpu.runs.publish import CURRENT
from hmgpu.runs.seal import SEAL, verify

# Few parts, trees and weeks to compare: what is tried is what surrounds them. Whether chance promotes is not.
SETTINGS = (
    "weeks.train=1",
    "features.customer_habits=null",
    "features.bought_department=null",
    "ranker.rounds=8",
    "ranker.patience=4",
    "retrain.limits.weeks=2",
    "retrain.tolerance=1.0",
    "retrain.keep=1",
)


@dataclass(frozen=True)
class Place:
    """A folder with a data set, its runs and the weeks that are to come."""

    folder: Path
    runs: Path = field(init=False)
    data: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "runs", self.folder / "runs")
        object.__setattr__(self, "data", self.folder / "data")

    def week(self, number: int) -> Path:
        return self.folder / f"week-{number}.csv"

    def command(self, verb: str, *more: object, settings: tuple[str, ...] = ()) -> list[str]:
        places = (f"data.raw={self.folder / 'raw'}", f"data.root={self.data}", f"runs={self.runs}")
        flags = [flag for setting in (*places, *SETTINGS, *settings) for flag in ("--set", setting)]
        return [verb, "--config", str(self.folder / "config.yaml"), *flags, *map(str, more)]

    def retrain(self, week: int | None = None, *settings: str) -> list[str]:
        """The command line of a retrain."""
        append = ["--append", self.week(week)] if week else []
        return self.command("retrain", *append, settings=settings)

    @property
    def current(self) -> Path:
        return (self.runs / CURRENT).resolve()

    @property
    def served(self) -> str:
        """Return the hash of what the current run serves."""
        return sha256(self.runs / CURRENT / "submission.csv")

    def outcomes(self) -> list[str]:
        return [json.loads(file.read_text())["outcome"] for file in sorted((self.runs / "retrains").glob("*.json"))]

    def check(self, *allowed: "Served") -> "Served":
        """Return what is served, after checking that it is a whole run, one of `allowed`, and the data set whole."""
        verify(self.current)
        Store(self.data).verify()
        now = Served.of(self)
        assert now in allowed
        return now

    def copy(self, folder: Path) -> "Place":
        shutil.copytree(self.folder, folder, symlinks=True)
        return Place(folder)


@dataclass(frozen=True)
class Served:
    """A current run and its bytes."""

    run: str
    lists: str

    @staticmethod
    def of(place: Place) -> "Served":
        return Served(place.current.name, place.served)


@dataclass(frozen=True)
class Story:
    """A place where the first run is current, and what is served before and after the retrain on week 1."""

    place: Place
    before: Served
    after: Served
    seconds: float
    """Seconds of processor time that the retrain takes."""


def unharmed(ended: Ended) -> None:
    """Assert that there is no traceback, ever: what a person can fix is a sentence."""
    assert "Traceback" not in ended.said, ended.said
    assert "Logging error" not in ended.said, ended.said


def files_of(run: Path) -> Iterator[Path]:
    """Every file of a finished run that its seal lists, and the seal."""
    yield from (run / name for name in json.loads((run / SEAL).read_text())["files"])
    yield run / SEAL


def flip(file: Path, at: int | None = None) -> None:
    """Flip a bit of one byte: the one at `at`, else the middle one."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2 if at is None else at] ^= 1
    file.write_bytes(content)


def tree(folder: Path) -> dict[str, str]:
    """The hash of every file below `folder` but locks, and where links lead."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(folder))] = os.readlink(path)
        elif path.is_file() and not path.name.endswith(".lock"):
            found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
