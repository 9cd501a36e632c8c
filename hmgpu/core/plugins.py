"""Load what other packages offer to hmgpu by entry points."""

import functools
import importlib.metadata
import sys
from dataclasses import dataclass
from typing import Any

from hmgpu.core.errors import ConfigError


@dataclass(frozen=True)
class Offer:
    """One entry point, loaded."""

    name: str
    place: str
    """Module and name, as the entry point writes them: `package.module:Name`."""
    package: str
    """Name of the distribution that offers it."""
    loaded: Any
    """The object that the entry point names."""

    def __str__(self) -> str:
        return f"{self.place} of the package {self.package}"


def offers(group: str) -> tuple[Offer, ...]:
    """Load everything that installed packages offer in `group`, sorted by name.

    Raises ConfigError, which names the package, where an entry point can't be loaded.
    """
    return _offers(group, tuple(sys.path))


@functools.cache
def _offers(group: str, _: tuple[str, ...]) -> tuple[Offer, ...]:
    """Cached by the folders on `sys.path`: reading the metadata of all installed packages is slow."""
    found = []
    for entry in sorted(importlib.metadata.entry_points(group=group), key=lambda entry: (entry.name, entry.value)):
        package = entry.dist.name if entry.dist else "?"
        try:
            found.append(Offer(entry.name, entry.value, package, entry.load()))
        except Exception as error:  # third-party code may raise anything; the error must name its package
            raise ConfigError(
                f"The entry point '{entry.name}' ({group}) of the package {package} can't be loaded "
                f"({type(error).__name__}: {error}): fix {entry.value}, or uninstall the package."
            ) from error
    return tuple(found)
