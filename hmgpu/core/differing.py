"""Compare nested settings."""

from collections.abc import Mapping
from typing import Any


def differing(first: Any, second: Any, key: str = "") -> dict[str, list[Any]]:
    """Return the values that differ, by `key.key`; a key that only one has is null for the other."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        found = dict[str, list[Any]]()
        for name in [*first, *(name for name in second if name not in first)]:
            found |= differing(first.get(name), second.get(name), f"{key}.{name}".lstrip("."))
        return found
    return {} if first == second else {key: [first, second]}
