"""What a run was set up with, for the log of runs: its config's name, and what is not as in the config `base`."""

import functools
from collections.abc import Mapping
from typing import Any

from hmgpu.pipeline.config import Config, load_config
from hmgpu.pipeline.shipped_configs import shipped

BASE = "base"


def origin(config: Config) -> dict[str, Any]:
    """Return `config`, its name as it was given, and `changed`: its decisive settings that differ from `base`'s.

    A setting that only `base` has is null.
    """
    changed = {key: ours for key, (_, ours) in differing(_base(), config.decisive()).items()}
    return {"config": config.name, "changed": changed}


def differing(first: Any, second: Any, key: str = "") -> dict[str, list[Any]]:
    """Return the values that differ, by `key.key`; a key that only one has is null for the other."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        found = dict[str, list[Any]]()
        for name in [*first, *(name for name in second if name not in first)]:
            found |= differing(first.get(name), second.get(name), f"{key}.{name}".lstrip("."))
        return found
    return {} if first == second else {key: [first, second]}


@functools.cache
def _base() -> dict[str, Any]:
    return load_config(shipped()[BASE]).decisive()
