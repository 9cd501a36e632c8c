"""What a run's steps cost, from the manifests that they wrote."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hmgpu.runs.run import MANIFEST


def manifests(run: Path) -> Iterator[dict[str, Any]]:
    """Yield the manifest of each step of the run in the folder `run`, in the order in which they finished."""
    files = sorted((run / "steps").rglob(MANIFEST), key=lambda file: file.stat().st_mtime_ns)
    read = (json.loads(file.read_text()) for file in files)
    return (manifest for manifest in read if "step" in manifest)


def cost_of(run: Path) -> tuple[float, float]:
    """Return the seconds of all steps of the run in the folder `run`, and the most GiB that a process held in one.

    Steps that were reused count as what they took when they were computed, wherever that was.
    """
    steps = [*manifests(run)]
    return sum(step["seconds"] for step in steps), max((step["peak_gib"] for step in steps), default=0.0)
