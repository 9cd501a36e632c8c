"""Say what pydantic found wrong in the words of somebody who writes YAML."""

import json
from collections.abc import Mapping
from typing import Any

WORDS = {
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "path_type": "must be a path",
    "tuple_type": "must be a list, such as [a, b]",
    "list_type": "must be a list, such as [a, b]",
    "dict_type": "must be a mapping of keys",
    "model_type": "must be a mapping of keys",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be {le:g} or less",
    "literal_error": "must be {expected}",
    "too_short": "must have {min_length} or more values",
    "too_long": "must have {max_length} values at most",
    "missing": "is missing",
    "extra_forbidden": "is unknown",
    "value_error": "{error}",
}
"""By the type of the error, what is asked for."""


def in_words(found: Mapping[str, Any]) -> str:
    """Return the second half of a sentence about one of `ValidationError.errors()`: what must be, and what is."""
    words = WORDS.get(found["type"])
    if words is None:
        return str(found["msg"]).replace("Input should be", "must be")
    asked = words.format_map(found.get("ctx", {}))
    given = found.get("input")
    if found["type"] in ("value_error", "missing", "extra_forbidden", "too_short", "too_long"):
        return asked
    quoted = f": quote it, as '{given}'" if found["type"] == "string_type" and isinstance(given, int | float) else ""
    return f"{asked}, not {_written(given)}{quoted}"


def _written(given: Any) -> str:
    """Return a value as YAML has it, a long one by what it is."""
    if isinstance(given, dict | list | tuple):
        return "a mapping" if isinstance(given, dict) else "a list"
    try:
        return json.dumps(given, ensure_ascii=False)[:60]
    except (TypeError, ValueError):
        return str(given)[:60]
