"""What a run was set up with, for the log of runs: its config's name, and what is not as in the config `base`."""

import functools
from typing import Any

from hmgpu.core.differing import differing
from hmgpu.pipeline.config import Config, load_config
from hmgpu.pipeline.shipped_configs import shipped

BASE = "base"


def origin(config: Config) -> dict[str, Any]:
    """Return `config`, its name as it was given, and `changed`: its decisive settings that differ from `base`'s.

    A setting that only `base` has is null.
    """
    changed = {key: ours for key, (_, ours) in differing(_base(), config.asked).items()}
    return {"config": config.name, "changed": changed}


@functools.cache
def _base() -> dict[str, Any]:
    return load_config(shipped()[BASE]).decisive()
