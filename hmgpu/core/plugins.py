"""What other packages offer to hmgpu by entry points."""

import functools
import importlib.metadata
import sys
from dataclasses import dataclass
from typing import Any

from hmgpu.core.errors import ConfigError


@dataclass(frozen=True)
class Offer:
    """What one entry point names."""

    name: str
    place: str
    """Module and name, as the entry point has them: `package.module:Name`."""
    package: str
    """Name of the distribution that offers it."""
    found: Any
    """What is there, loaded."""

    def __str__(self) -> str:
        return f"{self.place} of the package {self.package}"


def offers(group: str) -> tuple[Offer, ...]:
    """All that installed packages offer in `group`, by name.

    Raises ConfigError that names the package where one can't be loaded.
    """
    return _offers(group, tuple(sys.path))


@functools.cache
def _offers(group: str, _: tuple[str, ...]) -> tuple[Offer, ...]:
    """Kept by the folders that are searched: reading what all packages say of themselves takes a while."""
    found = []
    for entry in sorted(importlib.metadata.entry_points(group=group), key=lambda entry: (entry.name, entry.value)):
        package = entry.dist.name if entry.dist else "?"
        try:
            found.append(Offer(entry.name, entry.value, package, entry.load()))
        except Exception as error:  # of a stranger's code: whatever it raises, its package is to be named
            raise ConfigError(
                f"The entry point '{entry.name}' ({group}) of the package {package} can't be loaded "
                f"({type(error).__name__}: {error}): fix {entry.value}, or uninstall the package."
            ) from error
    return tuple(found)
