"""A class's code as a hash: results of other code are not taken for its."""

import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

from hmgpu.core.files import digest_of, sha256

KNOWN = ("hmgpu", "pydantic", "builtins", "abc", "typing")  # hmgpu's own code is hashed as a whole elsewhere


@functools.cache  # of what was loaded: what is written into the file afterwards does not run
def source_digest(defined: type) -> str:
    """Hash of the files that define the class and its bases outside of hmgpu.

    Of a class from a notebook, which is in no file, hash of its methods and fields: functions in other cells that it
    calls are not looked at.
    """
    classes = [each for each in defined.__mro__ if each.__module__.partition(".")[0] not in KNOWN]
    return digest_of([_of_file(each) or _of_code(each) for each in classes])


def _of_file(defined: type) -> str | None:
    file = getattr(sys.modules.get(defined.__module__), "__file__", None)
    return sha256(Path(file)) if file and Path(file).is_file() else None


def _of_code(defined: type) -> list[Any]:
    fields = {name: repr(field) for name, field in getattr(defined, "model_fields", {}).items()}
    return [defined.__qualname__, fields, *_members(defined)]


def _members(defined: type) -> Iterator[list[Any]]:
    for name, member in sorted(vars(defined).items()):
        function = getattr(member, "__func__", getattr(member, "fget", getattr(member, "func", member)))
        code = getattr(function, "__code__", None)
        if isinstance(code, CodeType):
            yield [name, repr(function.__defaults__), repr(function.__kwdefaults__), _constants(code)]


def _constants(value: Any) -> Any:
    """A constant of compiled code as JSON can hold it, the same in every process."""
    if isinstance(value, CodeType):
        names = [value.co_names, value.co_varnames, value.co_freevars]
        return [value.co_code.hex(), names, [_constants(each) for each in value.co_consts]]
    if isinstance(value, frozenset):
        return sorted(map(repr, value))
    return repr(value)
