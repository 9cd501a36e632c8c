"""Write a folder that is whole or not there, and that replaces only an earlier one of its kind."""

import glob
import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hmgpu.core.errors import RunError
from hmgpu.core.files import UNFINISHED, is_vacant
from hmgpu.core.lock import held

NAME = "manifest.json"
"""The file, written last, whose key `format` says what a folder is: `hmgpu export 1`."""
OLD = ".replaced-"


@contextmanager
def replaced(out: Path, what: str) -> Iterator[Path]:
    """Yield a folder to write in, next to `out`, which takes its place when the block ends without an error.

    Killed anywhere, `out` is whole or isn't there; what killed writers left behind is removed by the next one.

    Args:
        out: the folder to write, absolute.
        what: what it is, as a noun: the block writes a manifest whose `format` begins with `hmgpu <what> `.

    Raises RunError where `out` is anything but new, empty or an earlier one of its kind, which then stays as it was,
    and BusyError where another process writes it.
    """
    check_replaceable(out, what)
    out.parent.mkdir(parents=True, exist_ok=True)
    busy = f"Another process writes the {what} of {out.parent}; wait for it or stop it."
    with held(out.parent / f".hmgpu-{what}.lock", lambda: busy):
        for start in (UNFINISHED, OLD):
            for left in out.parent.glob(f"{start}{glob.escape(out.name)}-????????"):
                shutil.rmtree(left)
        draft = out.with_name(f"{UNFINISHED}{out.name}-{uuid.uuid4().hex[:8]}")
        draft.mkdir()
        try:
            yield draft
            check_replaceable(out, what)
            _put(draft, out)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def check_replaceable(out: Path, what: str) -> None:
    """Raise RunError unless `out` is new, empty or an earlier one of its kind."""
    try:
        if is_vacant(out):
            return
        manifest = json.loads((out / NAME).read_text(encoding="utf-8"))
        earlier = isinstance(manifest, dict) and str(manifest.get("format")).startswith(f"hmgpu {what} ")
    except (OSError, ValueError):
        earlier = False
    if not earlier:
        raise RunError(f"{out} exists and is not an earlier {what}, so it is left alone: name a new folder.")


def _put(draft: Path, out: Path) -> None:
    """Move `draft` to `out`; a folder can't be renamed over one that isn't empty, so an older `out` is moved away."""
    old = out.with_name(f"{OLD}{out.name}-{uuid.uuid4().hex[:8]}")
    if out.exists():
        out.rename(old)
    try:
        draft.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)
