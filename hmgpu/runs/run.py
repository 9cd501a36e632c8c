"""A run: one directory of steps, each with a manifest, each done once.

A step writes into a folder beside its place, its manifest last, and is renamed into place. A step whose manifest
matches (settings, what it was made from, code, engine) and whose files are what the manifest says is not done again:
kill a run anywhere, start it again, and it goes on to the same bytes.
"""

import functools
import json
import logging
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hmgpu.core.engine import Engine
from hmgpu.core.errors import RunError
from hmgpu.core.files import UNFINISHED, digest_of, hashes, needing_room, sha256, swap_link, write_json, write_text
from hmgpu.core.lock import held
from hmgpu.core.machine import versions
from hmgpu.core.version import PACKAGE
from hmgpu.runs.memory import watched
from hmgpu.runs.seal import verify

log = logging.getLogger(__name__)

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Step:
    """A finished step."""

    name: str
    folder: Path
    digest: str
    """Hash of all the step's files: what later steps name as their input."""


@dataclass(frozen=True)
class Run:
    """One run directory."""

    folder: Path
    engine: Engine
    base: "Run | None" = None
    """Another run whose steps are taken for this one's where they were made from the same things."""
    others: tuple["Run", ...] = ()
    """Likewise, but copied: this run is whole when the others are gone, and no flipped bit harms two."""

    def describe(self, settings: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        """Writes `config.yaml` and `manifest.json`: what this run is, with which versions and why on this engine.

        Those of a finished run stay: where its data lie and how much memory there is may be set differently since.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with suppress(RunError):
            verify(self.folder, ["config.yaml", MANIFEST])
            return
        write_text(self.folder / "config.yaml", yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True))
        engine = {"engine": self.engine.name, "engine_reason": self.engine.reason}
        write_json(self.folder / MANIFEST, {**facts, **engine, "code": code_digest(), "versions": versions()})

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps a second process out of this run; the lock goes with the process, however it ends.

        Raises BusyError where another has it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        busy = f"Another process works on {self.folder}; wait for it or stop it."
        with held(self.folder / ".lock", lambda: busy, keep=True):
            for draft in [*self.folder.rglob(f"{UNFINISHED}*")]:  # of those that were killed
                # A link to a folder says that it is one.
                shutil.rmtree(draft) if draft.is_dir() and not draft.is_symlink() else draft.unlink(missing_ok=True)
            yield

    def step(
        self,
        name: str,
        settings: Mapping[str, Any],
        inputs: list[str],
        make: Callable[[Path], Mapping[str, int] | None],
    ) -> Step:
        """The step `name`: taken from disk when it was made from the same things, else made.

        Args:
            name: folder below `steps/`.
            settings: all settings that decide what the step makes, as JSON can hold them.
            inputs: digests of what it is made from.
            make: writes the step's files into the folder it is given; may return counts (rows, …) for the manifest.
        """
        made_from = {
            "settings": json.loads(json.dumps(settings)),
            "inputs": inputs,
            "code": code_digest(),
            "engine": self.engine.name,
        }
        made = self._made(name, made_from)
        if made:
            log.debug("%s: already there", name)
            return made
        copied = self._made_elsewhere(name, made_from)
        if copied:
            return copied
        place = self.folder / "steps" / name
        draft = self._draft(place)
        draft.mkdir(parents=True)
        log.debug("%s: begun", name)
        started = time.perf_counter()
        try:
            with needing_room(self.folder), watched() as peak:
                counts = dict(make(draft) or {})
            seconds = round(time.perf_counter() - started, 2)
            files = hashes(draft)
            digest = digest_of(files)
            manifest = made_from | {"step": name, "files": files, "counts": counts}
            manifest |= {"seconds": seconds, "peak_gib": peak.gib}
            write_json(draft / MANIFEST, manifest)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        digest = _put(draft, place, made_from) or digest
        did = ", ".join(f"{n:,} {what}" for what, n in counts.items()) or "done"
        log.info("%s: %s in %.1f s, at most %.2f GiB", name, did, seconds, peak.gib)
        return Step(name, place, digest)

    def there(self, name: str) -> Step | None:
        """The step `name`, if there is one and its files are what its manifest says, whatever it was made from."""
        place = self.folder / "steps" / name
        digest = _finished(place, {})
        return Step(name, place, digest) if digest else None

    def _made(self, name: str, made_from: dict[str, Any]) -> Step | None:
        """The step, if it is here or in the base and was made from these things."""
        place = self.folder / "steps" / name
        digest = _finished(place, made_from)
        if digest:
            return Step(name, place, digest)
        return self.base._made(name, made_from) if self.base else None

    def _made_elsewhere(self, name: str, made_from: dict[str, Any]) -> Step | None:
        for other in self.others:
            there = other._made(name, made_from)
            copied = self._copied(there, made_from, other) if there else None
            if copied:
                return copied
        return None

    def _copied(self, step: Step, made_from: dict[str, Any], other: "Run") -> Step | None:
        place = self.folder / "steps" / step.name
        draft = self._draft(place)
        try:
            with needing_room(self.folder):
                shutil.copytree(step.folder, draft)
        except BaseException as error:
            shutil.rmtree(draft, ignore_errors=True)
            if isinstance(error, OSError) and not step.folder.is_dir():  # somebody has just removed the other run
                return None
            raise
        _put(draft, place, made_from)
        # Looked at once more: what was copied must be what was hashed.
        digest = _finished(place, made_from)
        log.info("%s: the same as in %s", step.name, other.folder.name)
        return Step(step.name, place, digest) if digest else None

    @staticmethod
    def _draft(place: Path) -> Path:
        """A folder beside `place` that doesn't exist yet.

        Not the same for all: a worker that was taken for dead may still be writing when another does its task.
        """
        return place.with_name(f"{UNFINISHED}{place.name}-{uuid.uuid4().hex[:8]}")

    def show(self, name: str, made: Path) -> Path:
        """Makes what a step left at `made` visible as `name` at the top of the run, swapped in one move."""
        link, draft = self.folder / name, self.folder / f"{UNFINISHED}{name}"
        swap_link(link, made.relative_to(self.folder), draft)
        return link


def _put(draft: Path, place: Path, made_from: dict[str, Any]) -> str | None:
    """Moves a finished draft into its place; the digest of what is there, if another worker was faster."""
    try:
        draft.rename(place)
        return None
    except OSError:  # there is something already: what is out of date, or that other worker's
        there = _finished(place, made_from)
        if not there:
            shutil.rmtree(place, ignore_errors=True)
            draft.rename(place)
        shutil.rmtree(draft, ignore_errors=True)
        return there


def _finished(place: Path, made_from: dict[str, Any]) -> str | None:
    """The digest of the step at `place`, if it was made from the same things and holds just what its manifest lists."""
    try:
        manifest = json.loads((place / MANIFEST).read_text())
    except (OSError, ValueError):
        return None
    listed = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(listed, dict) or any(manifest.get(key) != value for key, value in made_from.items()):
        return None
    there = hashes(place)
    del there[MANIFEST]
    if there != listed:
        log.warning("%s was changed since it was made; making it again", place)
        return None
    return digest_of(there)


@functools.cache
def code_digest() -> str:
    """Hash of the package's own source, templates of pages included: results of other code are not taken for its."""
    files = sorted(file for kind in ("*.py", "*.html") for file in PACKAGE.rglob(kind))
    sources = {str(file.relative_to(PACKAGE)): sha256(file) for file in files}
    return digest_of(sources)
