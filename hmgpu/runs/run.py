"""A run: one folder of steps, each with a manifest, each run once.

A step writes into a folder next to its place, its manifest last, and is renamed into place. A step whose manifest
matches (settings, inputs, code, engine) and whose files are what the manifest lists is reused: kill a run anywhere,
start it again, and it goes on to the same bytes.
"""

import functools
import json
import logging
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hmgpu.core.errors import RunError
from hmgpu.core.files import UNFINISHED, digest_of, hashes, needing_room, sha256, swap_link, write_json, write_text
from hmgpu.core.lock import held
from hmgpu.core.machine import versions
from hmgpu.core.progress import in_stage, progress, stage
from hmgpu.core.runlog import FIELDS
from hmgpu.core.version import PACKAGE
from hmgpu.core.words import counted
from hmgpu.core.yaml_text import dump
from hmgpu.runs.memory import watched
from hmgpu.runs.seal import verify

if TYPE_CHECKING:  # the real import loads Polars, which nobody needs to list runs
    from hmgpu.core.engine import Engine

log = logging.getLogger(__name__)

MANIFEST = "manifest.json"
LOCK = ".lock"
"""In each run: held by the process that works on it."""


@dataclass(frozen=True)
class Step:
    """A finished step."""

    name: str
    folder: Path
    digest: str
    """Hash of all the step's files, which later steps name as their input."""


@dataclass(frozen=True)
class Run:
    """One run folder."""

    folder: Path
    engine: "Engine"
    base: "Run | None" = None
    """Another run whose steps this one reuses in place where settings, inputs, code and engine are equal."""
    others: tuple["Run", ...] = ()
    """Runs whose steps this one copies likewise: it stays whole without them, and a flipped bit harms only one run."""

    def describe(self, settings: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        """Write `config.yaml` and `manifest.json`: what this run is, with which versions and why on this engine.

        A finished run keeps the ones it has: folders and memory may be set differently since.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with suppress(RunError):
            verify(self.folder, ["config.yaml", MANIFEST])
            return
        write_text(self.folder / "config.yaml", dump(dict(settings)))
        engine = {"engine": self.engine.name, "engine_reason": self.engine.reason}
        write_json(self.folder / MANIFEST, {**facts, **engine, "code": code_digest(), "versions": versions()})

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out of this run; the lock ends with the process, however that ends.

        Raises BusyError where another process holds it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        busy = f"Another process works on {self.folder}; wait for it or stop it."
        with held(self.folder / LOCK, lambda: busy, keep=True):
            for draft in [*self.folder.rglob(f"{UNFINISHED}*")]:  # left behind by processes that were killed
                # `is_dir` is true of a link to a folder.
                shutil.rmtree(draft) if draft.is_dir() and not draft.is_symlink() else draft.unlink(missing_ok=True)
            yield

    def step(
        self,
        name: str,
        settings: Mapping[str, Any],
        inputs: list[str],
        write: Callable[[Path], Mapping[str, int] | None],
    ) -> Step:
        """Return the step `name`: reused where settings, inputs, code and engine are equal, else run.

        Args:
            name: folder below `steps/`.
            settings: all settings that decide what the step writes, as JSON can hold them.
            inputs: digests of the steps and data that it reads.
            write: writes the step's files into the folder that it is given; may return counts (rows, …) for the
                manifest.
        """
        origin = origin_of(settings, inputs, self.engine)
        there = self._reusable(name, origin)
        if there:
            log.debug("%s: reused", name, extra={FIELDS: {"step": name, "reused": True}})
            return there
        copied = self._reusable_elsewhere(name, origin)
        if copied:
            return copied
        place = self.folder / "steps" / name
        draft = self._draft(place)
        draft.mkdir(parents=True)
        within = in_stage()
        log.debug("%s: started", name)
        started, before = time.perf_counter(), self.engine.copied()
        try:
            with stage(), nullcontext() if within else progress(name), needing_room(self.folder), watched() as peak:
                counts = dict(write(draft) or {})
            seconds, moved = round(time.perf_counter() - started, 2), self.engine.copied()
            moved.subtract(before)
            files = hashes(draft)
            digest = digest_of(files)
            manifest = origin | {"step": name, "files": files, "counts": counts}
            manifest |= {"seconds": seconds, "peak_gib": peak.gib}
            write_json(draft / MANIFEST, manifest)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        digest = _put(draft, place, origin) or digest
        # What a part learned is counted by table, which is a file of the step.
        tables = {what for what in counts if f"{what}.parquet" in files}
        said = [f"{what} ({counted(n, 'row')})" if what in tables else f"{n:,} {what}" for what, n in counts.items()]
        log.log(
            logging.DEBUG if within else logging.INFO,
            "%s: %s in %.1f s, peak memory %.2f GiB",
            *(name, ", ".join(said) or "done", seconds, peak.gib),
            extra={FIELDS: {"step": name, "seconds": seconds, "peak_gib": peak.gib, **moved, **counts}},
        )
        return Step(name, place, digest)

    def there(self, name: str) -> Step | None:
        """Return the step `name` if it exists and its files are what its manifest lists, whatever its inputs were."""
        place = self.folder / "steps" / name
        digest = _finished(place, {})
        return Step(name, place, digest) if digest else None

    def _reusable(self, name: str, origin: dict[str, Any]) -> Step | None:
        """Return the step if this run or its base has it with this `origin`."""
        place = self.folder / "steps" / name
        digest = _finished(place, origin)
        if digest:
            return Step(name, place, digest)
        return self.base._reusable(name, origin) if self.base else None

    def _reusable_elsewhere(self, name: str, origin: dict[str, Any]) -> Step | None:
        for other in self.others:
            there = other._reusable(name, origin)
            copied = self._copied(there, origin, other) if there else None
            if copied:
                return copied
        return None

    def _copied(self, step: Step, origin: dict[str, Any], other: "Run") -> Step | None:
        place = self.folder / "steps" / step.name
        draft = self._draft(place)
        try:
            with needing_room(self.folder):
                shutil.copytree(step.folder, draft)
        except BaseException as error:
            shutil.rmtree(draft, ignore_errors=True)
            if isinstance(error, OSError) and not step.folder.is_dir():  # the other run was removed meanwhile
                return None
            raise
        _put(draft, place, origin)
        # Hashed once more: the copy must be what was hashed in the other run.
        digest = _finished(place, origin)
        log.debug(
            "%s: reused from run %s",
            *(step.name, other.folder.name),
            extra={FIELDS: {"step": step.name, "reused": True, "run": other.folder.name}},
        )
        return Step(step.name, place, digest) if digest else None

    @staticmethod
    def _draft(place: Path) -> Path:
        """Return a folder next to `place` that doesn't exist yet.

        Each call returns another: a worker that seemed dead may still be writing while another does its task.
        """
        return place.with_name(f"{UNFINISHED}{place.name}-{uuid.uuid4().hex[:8]}")

    def show(self, name: str, target: Path) -> Path:
        """Link `target`, which a step wrote, as `name` at the top of the run; an older link is swapped in one move."""
        link, draft = self.folder / name, self.folder / f"{UNFINISHED}{name}"
        swap_link(link, os.path.relpath(target, self.folder), draft)  # a base's step lies outside
        return link

    def write(self, name: str, text: Callable[[], str]) -> Path:
        """Write `text` as the file `name` at the top of the run, unless it is there already."""
        file, content = self.folder / name, text()
        if not file.is_file() or file.read_bytes() != content.encode():
            write_text(file, content)
        return file


def origin_of(settings: Mapping[str, Any], inputs: list[str], engine: "Engine") -> dict[str, Any]:
    """Return all that decides what a step writes: where it is equal, so are the bytes."""
    return {
        "settings": json.loads(json.dumps(settings)),
        "inputs": inputs,
        "code": code_digest(),
        "engine": engine.name,
    }


def _put(draft: Path, place: Path, origin: dict[str, Any]) -> str | None:
    """Move a finished draft into its place; return the digest of what is there if another worker was faster."""
    try:
        draft.rename(place)
        return None
    except OSError:  # something is there already: an outdated step, or the other worker's
        there = _finished(place, origin)
        if not there:
            shutil.rmtree(place, ignore_errors=True)
            draft.rename(place)
        shutil.rmtree(draft, ignore_errors=True)
        return there


def _finished(place: Path, origin: dict[str, Any]) -> str | None:
    """Return the digest of the step at `place` if it has this `origin` and holds just what its manifest lists."""
    try:
        manifest = json.loads((place / MANIFEST).read_text())
    except (OSError, ValueError):
        return None
    listed = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(listed, dict) or any(manifest.get(key) != value for key, value in origin.items()):
        return None
    there = hashes(place)
    del there[MANIFEST]
    if there != listed:
        log.warning("%s was changed since it was written; running the step again", place)
        return None
    return digest_of(there)


@functools.cache
def code_digest() -> str:
    """Return the hash of the package's source and page templates: results of other code are not reused."""
    files = sorted(file for kind in ("*.py", "*.html") for file in PACKAGE.rglob(kind))
    sources = {str(file.relative_to(PACKAGE)): sha256(file) for file in files}
    return digest_of(sources)
