"""Time and memory of a run's steps, from the manifests that they wrote, summed by kind of step."""

from dataclasses import dataclass
from pathlib import Path

from hmgpu.runs.cost import manifests

LEAST = 0.005  # seconds; manifests give hundredths, and a step of 0.00 s took some time all the same
GIB = 1024  # MiB


@dataclass
class Kind:
    """All steps of one kind."""

    seconds: float = 0.0
    rows: int = 0
    unit: str = ""
    """The word for what a row is; empty where manifests count nothing."""
    memory_mib: float | None = None
    """The most that the process held during one of the steps, imports included; None where no manifest gives it."""


def kinds_of(run: Path) -> dict[str, Kind]:
    """Return every kind of step of the run in the folder `run`, in the order in which the first of each finished."""
    found = dict[str, Kind]()
    for manifest in manifests(run):
        kind = found.setdefault(kind_of(manifest["step"]), Kind())
        kind.seconds += max(manifest["seconds"], LEAST)
        rows, kind.unit = _rows(manifest["counts"])
        kind.rows += rows
        if manifest.get("peak_gib") is not None:
            kind.memory_mib = max(kind.memory_mib or 0.0, manifest["peak_gib"] * GIB)
    return found


def kind_of(step: str) -> str:
    """Return a step's kind: its name without week and shard.

    `2020-09-16/learn/retriever-popular` is of the kind `learn retriever-popular`.
    """
    return " ".join(word for word in step.split("/") if not word[0].isdigit())


def _rows(counts: dict[str, int]) -> tuple[int, str]:
    """A step's count and its unit: the rows, else the customers, else the rows of all tables that it learned."""
    for unit in ("rows", "customers"):
        if unit in counts:
            return counts[unit], unit
    return sum(counts.values()), "rows" if counts else ""
