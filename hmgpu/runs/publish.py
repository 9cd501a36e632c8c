"""Which run is current: a symbolic link that is swapped in one move."""

import os
from pathlib import Path

from hmgpu.errors import RunError

CURRENT = "current"


def promote(run: Path) -> Path:
    """Make `run` (RUNS/<id>) the current one. Returns the link RUNS/current.

    Raises RunError when the run has no submission yet, or when something that is no link stands in the way.
    """
    if run.name == CURRENT:
        run = run.resolve()
    if not (run / "submission.csv").is_file():
        raise RunError(f"{run} has no submission.csv, so it can't become the current run; finish it with `hmgpu run`.")
    link = run.parent / CURRENT
    if link.exists() and not link.is_symlink():
        raise RunError(f"{link} is a file or folder, not the link to the current run; move it away.")
    draft = run.parent / f".{CURRENT}-{os.getpid()}"
    draft.unlink(missing_ok=True)
    draft.symlink_to(run.name)
    os.replace(draft, link)
    return link
