"""Parts from what a config says of them; what is wrong in any of them is gathered with its place."""

import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from hmgpu.core.errors import ConfigError
from hmgpu.core.yaml_problems import Location, Problem
from hmgpu.parts.part import Part, build, kinds

P = TypeVar("P", bound=Part)
Known = Callable[[Location], tuple[str, ...]]
"""The keys that are known where an unknown one was written."""

NAME = "[a-z][a-z0-9_]*"  # of a part: it becomes part of column and folder names
RESERVED = ("best", "customer", "article", "label")  # the first's rank would be called as the best of all is


class PartError(Exception):
    """All that is wrong with one part's settings, placed from the part's entry on."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__()
        self.problems = problems


def parts_of(base: type[P], given: Any) -> Any:
    """The parts of a section by name. What is wrong with any of them is gathered and raised as one error."""
    if not isinstance(given, dict):
        return given
    built, problems = {}, list[Problem]()
    for name, settings in given.items():
        if not re.fullmatch(NAME, str(name)) or name in RESERVED:
            wanted = f"use lower case, digits and _, none of {', '.join(RESERVED)}"
            problems.append(Problem((str(name),), f"'{name}' is no name: {wanted}"))
            continue
        try:
            built[name] = _build(base, name, settings)
        except PartError as error:
            problems += [dataclasses.replace(problem, at=(name, *problem.at)) for problem in error.problems]
    if problems:
        raise _as_pydantic(problems)
    return built


def part_of(base: type[P], given: Any) -> Any:
    """The one part that stands where `given` is written, named by its `kind`."""
    if not isinstance(given, dict):
        return given
    try:
        return _build(base, str(given.get("kind", "")), given)
    except PartError as error:
        raise _as_pydantic(error.problems) from None


def problems_of(error: ValidationError, known: Known) -> Iterator[Problem]:
    """Everything that is wrong, the settings of parts within at their places."""
    for found in error.errors():
        at = tuple(step for step in found["loc"] if step != "[key]")
        if found["type"] == "parts":
            yield from (dataclasses.replace(inner, at=(*at, *inner.at)) for inner in found["ctx"]["problems"])
        else:
            yield Problem(at, found["msg"], found["type"], known(at) if found["type"] == "extra_forbidden" else ())


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
