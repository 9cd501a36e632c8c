"""What a retrain leaves behind: one file each, written whole, and never changed again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from hmgpu.core.errors import RunError
from hmgpu.core.files import write_json

RECORDS = "retrains"
Outcome = Literal["promoted", "kept", "refused", "unchanged", "failed"]


@dataclass
class Record:
    """How a retrain ended."""

    started: str
    """When, in UTC."""
    outcome: Outcome = "failed"
    """promoted; kept: the current run stays; refused: the data are not taken; unchanged: the data have nothing new;
    failed: something else went wrong."""
    reason: str = ""
    """In a sentence."""
    appended: str | None = None
    """Name of the file or folder that was to be added."""
    last_day: str | None = None
    """Of the data that the run was made from."""
    run: str | None = None
    """Name of the new run."""
    before: str | None = None
    """Name of the run that was current before."""
    seconds: float = 0.0
    checks: list[dict[str, Any]] = field(default_factory=list)
    """Of the data; see `checks.Check`."""
    figures: Mapping[str, Any] = field(default_factory=dict)
    """See `judge.Verdict`."""

    @property
    def exit_code(self) -> int:
        """0 where the current run is made from all data; 3 where an older one was kept, 4 where data were refused."""
        return {"promoted": 0, "unchanged": 0, "kept": 3, "refused": 4, "failed": 1}[self.outcome]

    def as_json(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self)

    def write(self, runs: Path) -> Path:
        """Into `RUNS/retrains/`, under a name that sorts by time and that no other has."""
        folder = runs / RECORDS
        folder.mkdir(parents=True, exist_ok=True)
        name, number = self.started.replace(":", "").split("+")[0], 0
        while (file := folder / f"{name}-{number:02}.json").exists():
            number += 1
        write_json(file, self.as_json())
        return file


def records(runs: Path) -> Sequence[Record]:
    """Every retrain, oldest first, by the names of their files. Raises RunError, naming the file, for a damaged one."""
    found = []
    for file in sorted((runs / RECORDS).glob("[!.]*.json")):  # none that a kill left unfinished
        try:
            record = Record(**json.loads(file.read_text()))
            if record.outcome not in get_args(Outcome):
                raise ValueError(f"outcome {record.outcome!r}")
        except (OSError, ValueError, TypeError) as error:
            raise RunError(f"{file} is damaged ({error}): remove it; it is a note, no run depends on it.") from None
        found.append(record)
    return found
