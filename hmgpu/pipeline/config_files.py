"""Read a config's file, and the files that it extends, into one mapping that knows which file a key is from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hmgpu.core.errors import ConfigError
from hmgpu.core.words import did_you_mean
from hmgpu.core.yaml_problems import Problem, found_at, refuse_repeated_keys
from hmgpu.core.yaml_text import parse
from hmgpu.pipeline.shipped_configs import config_file

EXTENDS = "extends"
PART_SECTIONS = ("retrievers", "features", "negatives")
"""Sections of parts by name, in which null leaves a part out and {} gives it its defaults."""


@dataclass(frozen=True)
class ConfigFile:
    """One YAML file."""

    path: Path
    tree: yaml.Node | None
    content: dict[str, Any]


@dataclass(frozen=True)
class Layers:
    """A config's file and those that it extends."""

    files: tuple[ConfigFile, ...]
    """The one that was asked for, then the one that it extends, and so on."""

    @property
    def content(self) -> dict[str, Any]:
        """Return all keys, those of a file put over those of the file that it extends."""
        found: dict[str, Any] = {}
        for file in reversed(self.files):
            own = {key: value for key, value in file.content.items() if key != EXTENDS}
            found = merged(found, own)
        return found

    def explain(self, problem: Problem, overridden: list[str]) -> str:
        """Return one sentence about `problem`, with the file and line that it comes from."""
        file = max(self.files, key=lambda each: found_at(each.tree, problem.at)[0])  # of equal ones the first
        return problem.explain(file.path, file.tree, overridden)


def read_config(name: str | Path) -> Layers:
    """Read the config `name`, a path or a shipped name, and what it extends.

    Raises ConfigError where a file can't be read or is no mapping, where files extend each other in a circle, and where
    one leaves out a part that the file it extends does not have.
    """
    files, path = list[ConfigFile](), config_file(name)
    while True:
        files.append(_read(path))
        base = files[-1].content.get(EXTENDS)
        if base is None:
            break
        path = _base_of(files[-1], base)
        if path.resolve() in [file.path.resolve() for file in files]:
            line = found_at(files[-1].tree, (EXTENDS,))[1]
            raise ConfigError(f"{files[-1].path}, line {line}: it extends {path}, which extends it: a circle.")
    for number, file in enumerate(files[:-1]):
        _refuse_unknown_parts(file, Layers(tuple(files[number + 1 :])))
    return Layers(tuple(files))


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the keys of `over`, one by one, also inside of mappings that both have.

    A mapping replaces the other as a whole where it is empty, or of another `kind`: a part of another kind has other
    settings.
    """
    found = dict(base)
    for key, value in over.items():
        there = base.get(key)
        if value and isinstance(value, dict) and isinstance(there, dict):
            kind = there.get("kind", key)
            found[key] = merged(there, value) if value.get("kind", kind) == kind else value
        else:
            found[key] = value
    return found


def unknown_part(section: str, name: str, there: Any) -> str:
    """Say that there is no part `name` to leave out of `section`, and which may have been meant."""
    names = list(there) if isinstance(there, dict) else []
    hint = did_you_mean(name, map(str, names)) or f"there are {', '.join(map(str, names)) or 'none'}."
    return f"there is no '{section}.{name}' to leave out; {hint}"


def _refuse_unknown_parts(file: ConfigFile, base: Layers) -> None:
    for section in PART_SECTIONS:
        own, there = file.content.get(section), base.content.get(section)
        for name, settings in own.items() if isinstance(own, dict) else ():
            if settings is None and not (isinstance(there, dict) and name in there):
                line = found_at(file.tree, (section, name))[1]
                raise ConfigError(f"{file.path}, line {line}: {unknown_part(section, name, there)}")


def _base_of(file: ConfigFile, base: Any) -> Path:
    """Return the file that `file` extends: paths count from its own folder."""
    line = found_at(file.tree, (EXTENDS,))[1]
    if not isinstance(base, str):
        raise ConfigError(f"{file.path}, line {line}: '{EXTENDS}' must name a config: a path, or a shipped one.")
    near = file.path.parent / Path(base).expanduser()
    if near.is_file() or near.suffix or len(Path(base).parts) > 1:
        return near
    try:
        return config_file(base)
    except ConfigError as error:
        raise ConfigError(f"{file.path}, line {line}: {error}") from None


def _read(path: Path) -> ConfigFile:
    try:
        text = path.read_text(encoding="utf-8")
        tree, content = parse(text)
    except OSError as error:
        raise ConfigError(f"Can't read the config {path}: {error.strerror}.") from None
    except ValueError as error:
        raise ConfigError(f"{path} is not YAML: {error}.") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path} holds no settings: it must be a mapping of keys such as data, runs and retrievers.")
    refuse_repeated_keys(path, tree)
    return ConfigFile(path, tree, content)
