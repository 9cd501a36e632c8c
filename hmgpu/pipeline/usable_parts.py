"""Select the parts whose columns, packages and weeks of data are there; the others leave themselves out."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from hmgpu.core.errors import ConfigError, DataError
from hmgpu.core.extras import missing, remedy
from hmgpu.data.store import Store, without_vectors
from hmgpu.data.weeks import Week
from hmgpu.parts.feature import Feature
from hmgpu.parts.negative_sampler import NegativeSampler
from hmgpu.parts.part import Part
from hmgpu.parts.retriever import Retriever
from hmgpu.pipeline.config import Config

log = logging.getLogger(__name__)
P = TypeVar("P", bound=Part)


@dataclass(frozen=True)
class UsableParts:
    """Parts by name, in the order of the config."""

    retrievers: Mapping[str, Retriever]
    features: Mapping[str, Feature]
    negatives: Mapping[str, NegativeSampler]


def usable_parts(config: Config, store: Store, oldest: Week) -> UsableParts:
    """Return the parts whose columns are in the data and whose packages are installed; log each of the others.

    Args:
        oldest: the first week that parts learn for; those that need more days of purchases before it are left out too.

    Raises ConfigError where no retriever or no negative sampler is left or the ranker's packages are not installed,
    DataError where vectors that a part uses are missing.
    """
    vector_digests(config, store)
    uninstalled = missing(config.ranker.needs_packages())
    if uninstalled:
        raise ConfigError(f"The ranker {config.ranker.kind} needs {', '.join(uninstalled)}: {remedy(uninstalled[0])}.")
    found = UsableParts(
        _usable(config.retrievers, store, oldest, "retriever"),
        _usable(config.features, store, oldest, "feature"),
        _usable(config.negatives, store, oldest, "negative sampler"),
    )
    if not found.retrievers:
        raise ConfigError(
            "No retriever is left: each needs a column or weeks that the data lacks, or a package to install."
        )
    if not found.negatives:
        raise ConfigError(
            "No negative sampler is left: each needs a column that the data lacks, or a package to install. Add "
            "`recalled` to `negatives`."
        )
    return found


def _usable(parts: Mapping[str, P], store: Store, oldest: Week, what: str) -> dict[str, P]:
    usable, known = {}, oldest.first_day - store.manifest.first_day
    for name, part in parts.items():
        absent, uninstalled = sorted(part.needs() - store.present), missing(part.needs_packages())
        if absent:
            log.warning("%s %s is left out: the data has no %s", what, name, ", ".join(absent))
        elif uninstalled:
            needed = ", ".join(uninstalled)
            log.warning("%s %s is left out: it needs %s; %s", what, name, needed, remedy(uninstalled[0]))
        elif part.needs_days() > known:
            log.warning(
                "%s %s is left out: it needs %d days of purchases before %s, the oldest week that the run learns for, "
                "and the data has %d",
                what,
                name,
                part.needs_days(),
                oldest,
                known,
            )
        else:
            usable[name] = part
    return usable


def vector_digests(config: Config, store: Store) -> list[str]:
    """Return the hash of each table of vectors that a part uses. Raises DataError where the data set lacks one."""
    parts: dict[str, Part] = {f"retrievers.{name}": part for name, part in config.retrievers.items()}
    parts |= {f"features.{name}": part for name, part in config.features.items()}
    wanted = {of: name for name, part in parts.items() for of in part.needs_vectors()}
    for of, name in wanted.items():
        if of not in store.manifest.vectors:
            raise DataError(f"{name}: {without_vectors(of, store.root)}")
    return [store.vectors_before(of, store.last_day + 1) for of in sorted(wanted)]
