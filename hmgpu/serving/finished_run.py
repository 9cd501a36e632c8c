"""What a finished run has made, each file compared with the manifest of its step before it is used."""

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

SUBMIT, FIT = "submit", "fit"
FINISH = "finish a run with `hmgpu run`, or name another"


@dataclass(frozen=True)
class Made:
    """What one step of a run has made."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def files(self) -> dict[str, str]:
        """The hash of every file, by its path in the folder."""
        files: dict[str, str] = self.manifest["files"]
        return files

    @property
    def digest(self) -> str:
        """What steps that were made from this one name among their inputs."""
        return digest_of(self.files)

    @property
    def inputs(self) -> frozenset[str]:
        return frozenset(self.manifest["inputs"])

    def file(self, name: str) -> Path:
        """The file `name`. Raises RunError where it is missing or is not the one that the step made."""
        if name not in self.files:
            raise RunError(f"{self.folder} has no {name}: an older hmgpu has made it; make the run anew.")
        path = self.folder / name
        try:
            same = sha256(path) == self.files[name]
        except OSError as error:
            raise RunError(f"{path} can't be read ({error.strerror}): make the run anew.") from None
        if not same:
            raise RunError(f"{path} is not the file that the run has made, it was changed since: make the run anew.")
        return path


@dataclass(frozen=True)
class FinishedRun:
    """A run with recommendations."""

    folder: Path
    """RUNS/<id>, with no link in it: who promotes another run meanwhile changes nothing for who reads this one."""
    submitted: Made

    @classmethod
    def open(cls, place: Path) -> "FinishedRun":
        """The run in the folder, or behind the link, `place`.

        Raises RunError where there is none with a submission, and where the seal of a sealed one says that what
        vouches for all other files was changed.
        """
        folder = place.resolve()
        if (folder / SEAL).exists():
            verify(folder, ["config.yaml", MANIFEST, f"steps/{SUBMIT}/{MANIFEST}"])
        try:
            made = _made(folder / "steps" / SUBMIT)
        except (OSError, ValueError) as error:
            raise RunError(f"{place} is no finished run ({error}): {FINISH}.") from None
        return cls(folder, made)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Of the run as a whole: its data, versions, engine."""
        return self._read(MANIFEST, json.loads)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The settings that the run was made with."""
        return self._read("config.yaml", yaml.safe_load)

    @cached_property
    def known(self) -> list[Made]:
        """All that the recommendations were made from: the ranker, and what every part has learned."""
        # Every shard was made from the same.
        shards = self.among(self.submitted.inputs, "*/recommend/*")
        found = self.among(shards[0].inputs, FIT, "*/learn/*") if shards else []
        if not any(made.folder.name == FIT for made in found):
            raise RunError(f"{self.folder} has no ranker that its submission was made from: {FINISH}.")
        return found

    def among(self, digests: frozenset[str], *patterns: str) -> list[Made]:
        """Those steps that have the `digests`: what else lies in the run is of another time or for another purpose."""
        folders = [folder for pattern in patterns for folder in sorted((self.folder / "steps").glob(pattern))]
        found = []
        for folder in folders:
            with suppress(OSError, ValueError):  # what was killed half-way has no manifest
                found.append(_made(folder))
        return [made for made in found if made.digest in digests]

    def _read(self, name: str, read: Callable[[str], Any]) -> dict[str, Any]:
        try:
            content = read((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise RunError(f"{self.folder / name} can't be read ({error}): {FINISH}.") from None
        if not isinstance(content, dict):
            raise RunError(f"{self.folder / name} holds no settings: {FINISH}.")
        return content


def _made(folder: Path) -> Made:
    """Raises OSError or ValueError where `folder` has no manifest, or one that is none."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    shaped = isinstance(manifest, dict) and isinstance(manifest.get("files"), dict)
    if not shaped or not isinstance(manifest.get("inputs"), list):
        raise ValueError(f"{folder / MANIFEST} is no manifest of a step")
    return Made(folder, manifest)
