"""Explain what is wrong in a YAML file, in a sentence that names file, line and key."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hmgpu.core.errors import ConfigError
from hmgpu.core.words import did_you_mean

Location = tuple[int | str, ...]


@dataclass(frozen=True)
class Problem:
    """One problem in a config."""

    at: Location
    message: str
    type: str = "value_error"
    known: tuple[str, ...] = ()
    """The keys that would be valid where an unknown one stands."""

    def explain(self, path: Path, tree: yaml.Node | None, overridden: list[str]) -> str:
        """Return one sentence: where the problem is, what it is, and which key may have been meant."""
        key = ".".join(map(str, self.at))
        given = next(
            (name for name in overridden if f"{key}.".startswith(f"{name}.") or name.startswith(f"{key}.")), None
        )
        place = f"--set {given}" if given else f"{path}, line {found_at(tree, self.at)[1]}"
        if self.type == "extra_forbidden":
            hint = did_you_mean(str(self.at[-1]), self.known) or f"known here: {', '.join(self.known)}."
            return f"{place}: unknown key '{key}'; {hint}"
        if self.type == "missing" and isinstance(self.at[-1], int):
            return f"{place}: '{key.rpartition('.')[0]}': must have {self.at[-1] + 1} or more values."
        if self.type == "missing":
            return f"{path}: key '{key}' is missing."
        return f"{place}: '{key}': {self.message.rstrip('.')}."


def flags_for_numbers(given: Any, meant: Any, at: Location) -> Iterator[Problem]:
    """Yield a problem for each true and false that stands for a number, which pydantic takes for 1 and 0."""
    if isinstance(given, bool) and isinstance(meant, int | float) and not isinstance(meant, bool):
        yield Problem(at, f"must be a number, not {str(given).lower()}")
    elif isinstance(given, Mapping) and isinstance(meant, Mapping):
        for key in given:
            yield from flags_for_numbers(given[key], meant.get(key), (*at, key))
    elif isinstance(given, list | tuple) and isinstance(meant, list | tuple):
        for number, (one, other) in enumerate(zip(given, meant, strict=False)):
            yield from flags_for_numbers(one, other, (*at, number))


def refuse_repeated_keys(path: Path, node: yaml.Node | None) -> None:
    """Raise ConfigError where a key is repeated: YAML silently keeps the last one."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            refuse_repeated_keys(path, item)
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                first = seen[key.value]
                raise ConfigError(f"{path}, line {line}: key '{key.value}' is there already, on line {first}.")
            seen[str(key.value)] = line
            refuse_repeated_keys(path, value)


def found_at(node: yaml.Node | None, location: Location) -> tuple[int, int]:
    """Return how many keys of `location` the file has, and the line, from 1, of the innermost of them."""
    line = 1
    for depth, part in enumerate(location):
        children: list[tuple[str, int, yaml.Node]] = []
        if isinstance(node, yaml.MappingNode):
            children = [(str(key.value), key.start_mark.line + 1, value) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            children = [(str(i), value.start_mark.line + 1, value) for i, value in enumerate(node.value)]
        for name, at, child in children:
            if name == str(part):
                line, node = at, child
                break
        else:
            return depth, line
    return len(location), line
