"""Read a finished run; each file is compared with the manifest of its step before it is used."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from hmgpu.core.errors import RunError
from hmgpu.core.files import digest_of, sha256
from hmgpu.runs.run import MANIFEST
from hmgpu.runs.seal import SEAL, verify

SUBMIT, METRICS = "submit", "metrics.json"
FITS = ("fit", "refit")  # steps that hold a ranker
CUSTOMER = "customer_id"
FINISH = "finish a run with `hmgpu run`, or name another"
AGAIN = "run its command again"
PICKLED = (".pkl", ".pt")  # what older versions wrote for encoders and networks


@dataclass(frozen=True)
class FinishedStep:
    """A finished step of a run: its folder and manifest."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def files(self) -> dict[str, str]:
        """Return the hash of every file, by its path in the folder."""
        files: dict[str, str] = self.manifest["files"]
        return files

    @property
    def digest(self) -> str:
        """Return the hash that steps which read this one name among their inputs."""
        return digest_of(self.files)

    @property
    def inputs(self) -> frozenset[str]:
        return frozenset(self.manifest["inputs"])

    def file(self, name: str) -> Path:
        """Return the file `name`.

        Raises RunError where it is missing, is not the one that the step wrote, or is a pickle.
        """
        if name not in self.files:
            raise RunError(f"{self.folder} has no {name}, since an older hmgpu wrote it: {AGAIN}.")
        path = self.folder / name
        if path.suffix in PICKLED:
            raise RunError(
                f"{path} is a pickle, which an older hmgpu wrote and whose reading would run any code in it: {AGAIN}."
            )
        try:
            same = sha256(path) == self.files[name]
        except OSError as error:
            raise RunError(f"{path} can't be read ({error.strerror}): {AGAIN}.") from None
        if not same:
            raise RunError(f"{path} is not the file that the run wrote, but was changed since: {AGAIN}.")
        return path


@dataclass(frozen=True)
class FinishedRun:
    """A run with recommendations."""

    folder: Path
    """RUNS/<id>, with links resolved, so that promoting another run changes nothing for a reader of this one."""
    submitted: FinishedStep
    """The step with the lists' file and the tables that the run is served from."""

    @classmethod
    def open(cls, place: Path) -> "FinishedRun":
        """Open the run in the folder, or behind the link, `place`.

        Raises RunError where there is no run with lists, and where the seal of a sealed one shows that the
        manifests, which vouch for all other files, were changed.
        """
        folder = place.resolve()
        if not folder.is_dir():
            raise RunError(f"There is no run {place}: {FINISH}.")
        if (folder / SEAL).exists():
            verify(folder, ["config.yaml", MANIFEST, f"steps/{SUBMIT}/{MANIFEST}"])
        try:
            submitted = _read_step(folder / "steps" / SUBMIT)
        except FileNotFoundError:
            raise RunError(f"{place} is not a finished run, since it has no lists: {FINISH}.") from None
        except (OSError, ValueError):
            manifest = folder / "steps" / SUBMIT / MANIFEST
            raise RunError(f"{place} is not a finished run, since {manifest} can't be read: {FINISH}.") from None
        return cls(folder, submitted)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Return the manifest of the whole run: its data, versions, engine."""
        return self._read(MANIFEST, json.loads)

    @cached_property
    def config(self) -> dict[str, Any]:
        """Return the settings of the run."""
        return self._read("config.yaml", yaml.safe_load)

    @property
    def customer_column(self) -> str:
        """Return what the retailer's transactions call a customer's id."""
        try:
            name = self.config["data"]["columns"]["transactions"]["customer"]
        except (KeyError, TypeError):  # a config names only what differs from H&M's
            return CUSTOMER
        return str(name)

    @cached_property
    def sources(self) -> list[FinishedStep]:
        """Return the steps that the recommendations were computed from: the ranker, and what every part learned."""
        # Every shard has the same inputs.
        shards = self.steps_with(self.submitted.inputs, "*/recommend/*")
        found = self.steps_with(shards[0].inputs, *FITS, "*/learn/*") if shards else []
        if not any(step.folder.name in FITS for step in found):
            raise RunError(f"{self.folder} lacks the ranker that its lists were computed with: {FINISH}.")
        return found

    @property
    def ranker(self) -> FinishedStep:
        """Return the step of the ranker that the recommendations were computed with."""
        return next(step for step in self.sources if step.folder.name in FITS)

    @cached_property
    def evaluated(self) -> FinishedStep | None:
        """Return the step with the figures of the validation week; None where the run was not evaluated.

        Raises RunError where it can't be read.
        """
        link = self.folder / METRICS
        if not link.is_symlink():
            return None
        try:
            return _read_step(link.resolve().parent)
        except (OSError, ValueError):
            raise RunError(f"{link} leads to no figures: {AGAIN}.") from None

    def steps_with(self, digests: frozenset[str], *patterns: str) -> list[FinishedStep]:
        """Return the steps whose digest is among `digests`; the run may hold others, outdated or for other purposes."""
        folders = [folder for pattern in patterns for folder in sorted((self.folder / "steps").glob(pattern))]
        found = []
        for folder in folders:
            with suppress(OSError, ValueError):  # a step that was killed half-way has no manifest
                found.append(_read_step(folder))
        return [step for step in found if step.digest in digests]

    def _read(self, name: str, read: Callable[[str], Any]) -> dict[str, Any]:
        try:
            content = read((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError):
            raise RunError(f"{self.folder / name} can't be read: {FINISH}.") from None
        if not isinstance(content, dict):
            raise RunError(f"{self.folder / name} holds no settings: {FINISH}.")
        return content


def _read_step(folder: Path) -> FinishedStep:
    """Read the step in `folder`. Raises OSError or ValueError where it has no manifest of a step."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    shaped = isinstance(manifest, dict) and isinstance(manifest.get("files"), dict)
    if not shaped or not isinstance(manifest.get("inputs"), list):
        raise ValueError(f"{folder / MANIFEST} is not a manifest of a step")
    return FinishedStep(folder, manifest)
