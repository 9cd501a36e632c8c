"""Build parts from their entries in a config, and collect everything that is wrong with them, with its place."""

import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from hmgpu.core.errors import ConfigError
from hmgpu.core.validation import in_words
from hmgpu.core.yaml_problems import Location, Problem
from hmgpu.parts.part import Part, build, kinds

P = TypeVar("P", bound=Part)
Known = Callable[[Location], tuple[str, ...]]
"""Returns the keys that are valid at a place where an unknown key was written."""

NAME = "[a-z][a-z0-9_]*"  # the name of a part is used in names of columns and folders
RESERVED = ("best", "customer", "article", "label")  # `best_rank` and the key and label columns exist already


class PartError(Exception):
    """Everything that is wrong with one part's settings; places are relative to the part's entry."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__()
        self.problems = problems


def parts_of(base: type[P], given: Any) -> Any:
    """Build the parts of a config section, by name; all that is wrong with them is raised as one error.

    A part whose settings are null is left out; {} gives it its defaults.
    """
    if not isinstance(given, dict):
        return given
    built, problems = {}, list[Problem]()
    for name, settings in given.items():
        if not re.fullmatch(NAME, str(name)) or name in RESERVED:
            wanted = f"use lower case, digits and _, none of {', '.join(RESERVED)}"
            problems.append(Problem((str(name),), f"'{name}' is not a valid name: {wanted}"))
            continue
        if settings is None:
            continue
        try:
            built[name] = _build(base, name, settings)
        except PartError as error:
            problems += [dataclasses.replace(problem, at=(name, *problem.at)) for problem in error.problems]
    if problems:
        raise _as_pydantic(problems)
    return built


def part_of(base: type[P], given: Any) -> Any:
    """Build the one part that `given` asks for by its `kind`."""
    if not isinstance(given, dict):
        return given
    try:
        return _build(base, str(given.get("kind", "")), given)
    except PartError as error:
        raise _as_pydantic(error.problems) from None


def problems_of(error: ValidationError, known: Known) -> Iterator[Problem]:
    """Yield everything that is wrong, with problems in the settings of inner parts at their own places."""
    for found in error.errors():
        at = tuple(step for step in found["loc"] if step != "[key]")
        if found["type"] == "parts":
            yield from (dataclasses.replace(inner, at=(*at, *inner.at)) for inner in found["ctx"]["problems"])
        else:
            yield Problem(at, in_words(found), found["type"], known(at) if found["type"] == "extra_forbidden" else ())


def _as_pydantic(problems: list[Problem]) -> PydanticCustomError:
    return PydanticCustomError("parts", "parts are wrong", {"problems": problems})


def _build(base: type[P], name: str, settings: Any) -> P:
    if isinstance(settings, base):
        return settings
    if settings is not None and not isinstance(settings, dict):
        raise PartError([Problem((), "must be a mapping of settings")])
    try:
        return build(base, name, settings)
    except ConfigError as error:
        raise PartError([Problem(("kind",), str(error))]) from None
    except ValidationError as error:
        known = tuple(kinds(base)[(settings or {}).get("kind", name)].model_fields)
        raise PartError([*problems_of(error, lambda at: known)]) from None
