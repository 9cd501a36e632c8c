"""Record every retrain in a file of its own, written at once and never changed again."""

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
    """When it started, in UTC."""
    outcome: Outcome = "failed"
    """promoted; kept: the current run stays; refused: the new data were not added; unchanged: there are no new data;
    failed: something else went wrong."""
    reason: str = ""
    """Why it ended so, in a sentence."""
    appended: str | None = None
    """Name of the file or folder with the new week."""
    last_day: str | None = None
    """Last day of the data that the run was trained on."""
    run: str | None = None
    """Name of the new run."""
    before: str | None = None
    """Name of the run that was current before."""
    seconds: float = 0.0
    checks: list[dict[str, Any]] = field(default_factory=list)
    """The checks of the data; see `checks.Check`."""
    figures: Mapping[str, Any] = field(default_factory=dict)
    """The figures that it was judged by; see `judge.Verdict`."""

    @property
    def exit_code(self) -> int:
        """Return 0 if the current run was trained on all data, 3 if an older one was kept, 4 if data were refused."""
        return {"promoted": 0, "unchanged": 0, "kept": 3, "refused": 4, "failed": 1}[self.outcome]

    def as_json(self) -> dict[str, Any]:
        """Return all fields."""
        return asdict(self)

    def write(self, runs: Path) -> Path:
        """Write the record into `RUNS/retrains/`, under a new name that sorts by time; return the file."""
        folder = runs / RECORDS
        folder.mkdir(parents=True, exist_ok=True)
        name, number = self.started.replace(":", "").split("+")[0], 0
        while (file := folder / f"{name}-{number:02}.json").exists():
            number += 1
        write_json(file, self.as_json())
        return file


def records(runs: Path) -> Sequence[Record]:
    """Return every retrain, oldest first, by file name. Raises RunError, naming the file, for a damaged one."""
    found = []
    for file in sorted((runs / RECORDS).glob("[!.]*.json")):  # without files that a kill left unfinished
        try:
            record = Record(**json.loads(file.read_text()))
            if record.outcome not in get_args(Outcome):
                raise ValueError(f"outcome {record.outcome!r}")
        except (OSError, ValueError, TypeError) as error:
            raise RunError(
                f"{file} is damaged ({error}): remove it; it is only a record, runs don't depend on it."
            ) from None
        found.append(record)
    return found
