"""Select the parts whose columns, packages and weeks of data are there; the others leave themselves out."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from hmgpu.core.errors import ConfigError, DataError
from hmgpu.core.extras import missing, remedy
from hmgpu.core.files import digest_of, hashes, sha256
from hmgpu.data.store import Store, without_vectors
from hmgpu.data.weeks import Week
from hmgpu.parts.feature import Feature
from hmgpu.parts.negative_sampler import NegativeSampler
from hmgpu.parts.part import Part
from hmgpu.parts.ranker import Ranker
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
    left_out: Mapping[str, str]
    """Why each of the other parts is left out, by its place in the config, such as `retrievers.als`."""


def usable_parts(config: Config, store: Store, oldest: Week) -> UsableParts:
    """Return the parts whose columns are in the data and whose packages are installed; log each of the others.

    Args:
        oldest: the first week that parts learn for; those that need more days of purchases before it are left out too.

    Raises ConfigError where no retriever or no negative sampler is left, or what the ranker or a part needs is not
    there, DataError where vectors that a part uses are missing.
    """
    digests_of_inputs(config, store)
    uninstalled = missing(config.ranker.needs_packages())
    if uninstalled:
        raise ConfigError(f"The ranker {config.ranker.kind} needs {', '.join(uninstalled)}: {remedy(uninstalled[0])}.")
    left_out = dict[str, str]()
    found = UsableParts(
        _usable(config.retrievers, store, oldest, "retrievers", left_out),
        _usable(config.features, store, oldest, "features", left_out),
        _usable(config.negatives, store, oldest, "negatives", left_out),
        left_out,
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
    _check_ranker(config.ranker, found)
    return found


def _check_ranker(ranker: Ranker, found: UsableParts) -> None:
    """Raise ConfigError where the ranker needs a part that was left out: before anything is computed."""
    for name in sorted(ranker.goes_by - set(found.retrievers)):
        raise ConfigError(
            f"ranker.retrievers: '{name}' proposes nothing here; choose from {', '.join(found.retrievers)}."
        )
    for group in ranker.goes_by_any:
        if not group & set(found.retrievers):
            raise ConfigError(
                f"ranker.retrievers: {', '.join(sorted(group))} propose nothing here; choose from "
                f"{', '.join(found.retrievers)}."
            )
    for kind in sorted(ranker.needs_families - {family.kind for family in found.features.values()}):
        raise ConfigError(f"ranker: the family `{kind}`, whose columns it looks up, is left out.")


def _usable(parts: Mapping[str, P], store: Store, oldest: Week, section: str, left_out: dict[str, str]) -> dict[str, P]:
    """Return the usable parts of a section of the config; add the others to `left_out`."""
    usable = {}
    for name, part in parts.items():
        reason = lacks(part, store, oldest)
        if reason is None:
            usable[name] = part
        else:
            left_out[f"{section}.{name}"] = reason
            log.warning("%s.%s is left out: %s", section, name, reason)
    return usable


def lacks(part: Part, store: Store, oldest: Week) -> str | None:
    """Return what a part needs and there isn't, in words; None where it has all."""
    absent, uninstalled = sorted(part.needs() - store.present), missing(part.needs_packages())
    known = oldest.first_day - store.gap - store.manifest.first_day
    if absent:
        return f"the data has no {', '.join(absent)}"
    if uninstalled:
        return f"it needs {', '.join(uninstalled)}; {remedy(uninstalled[0])}"
    if part.needs_pictures() and store.pictures is None:
        return f"the data has no pictures; put them into {store.place_of_pictures}"
    if part.needs_days() > known:
        return (
            f"it needs {part.needs_days()} days of purchases before {oldest}, the oldest week that the run learns for, "
            f"and the data has {known}"
        )
    return None


def digests_of_inputs(config: Config, store: Store) -> list[str]:
    """Return the hashes of what parts use next to the tables: vectors, pictures, and files of their own.

    Raises DataError where the data set lacks vectors, and ConfigError where a file that a part names isn't there. Parts
    that need pictures leave themselves out where the data set has none.
    """
    parts: dict[str, Part] = {f"retrievers.{name}": part for name, part in config.retrievers.items()}
    parts |= {f"features.{name}": part for name, part in config.features.items()}
    wanted = {of: name for name, part in parts.items() for of in part.needs_vectors()}
    for of, name in wanted.items():
        if of not in store.manifest.vectors:
            raise DataError(f"{name}: {without_vectors(of, store.root)}")
    used = {of for part in parts.values() for of in part.uses_vectors() if of in store.manifest.vectors}
    found = [store.vectors_before(of, store.last_day + 1) for of in sorted(used)]
    if store.pictures is not None and any(part.needs_pictures() for part in parts.values()):
        found.append(store.pictures_before(store.last_day + 1))
    return found + [digest for name, part in sorted(parts.items()) for digest in digests_of_files(part, name)]


def digests_of_files(part: Part, name: str) -> list[str]:
    """Return the hashes of the files and folders that `part` reads; ConfigError where one isn't there."""
    for path in part.reads():
        if not path.exists():
            raise ConfigError(f"{name}: there is no {path}, which it names.")
    return [digest_of(hashes(path)) if path.is_dir() else sha256(path) for path in part.reads()]
