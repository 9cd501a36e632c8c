"""Hash a class's code, so that results of changed code are not reused."""

import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

from hmgpu.core.files import digest_of, sha256

KNOWN = ("hmgpu", "pydantic", "builtins", "abc", "typing")  # hmgpu's own code is hashed as a whole elsewhere


@functools.cache  # the hash of the code as loaded: later edits of the file don't run in this process
def source_digest(defined: type) -> str:
    """Hash the files that define the class and its bases outside of hmgpu.

    A class from a notebook has no file: then its methods and fields are hashed, but not the functions of other cells
    that it calls.
    """
    classes = [each for each in defined.__mro__ if each.__module__.partition(".")[0] not in KNOWN]
    return digest_of([_file_hash(each) or _code_facts(each) for each in classes])


def _file_hash(defined: type) -> str | None:
    file = getattr(sys.modules.get(defined.__module__), "__file__", None)
    return sha256(Path(file)) if file and Path(file).is_file() else None


def _code_facts(defined: type) -> list[Any]:
    fields = {name: repr(field) for name, field in getattr(defined, "model_fields", {}).items()}
    return [defined.__qualname__, fields, *_members(defined)]


def _members(defined: type) -> Iterator[list[Any]]:
    for name, member in sorted(vars(defined).items()):
        function = getattr(member, "__func__", getattr(member, "fget", getattr(member, "func", member)))
        code = getattr(function, "__code__", None)
        if isinstance(code, CodeType):
            yield [name, repr(function.__defaults__), repr(function.__kwdefaults__), _constants(code)]


def _constants(value: Any) -> Any:
    """A constant of compiled code in a form that JSON can hold and that is the same in every process."""
    if isinstance(value, CodeType):
        names = [value.co_names, value.co_varnames, value.co_freevars]
        return [value.co_code.hex(), names, [_constants(each) for each in value.co_consts]]
    if isinstance(value, frozenset):
        return sorted(map(repr, value))
    return repr(value)
