"""Well-known public recommenders, one a file: the yardstick for hmgpu's lists. Nothing but a benchmark uses them.

A peer gets what a part gets, a History and nothing else, and every module here that names a `PEER` is one. It may
return fewer than twelve articles, and nobody it knows nothing of: the benchmark fills all lists with the same best
sellers. Of lenskit's PopScorer there is none: `popular` makes the same list.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from hmgpu.core.metrics import K

PLACES = K
"""Articles that a peer recommends at most."""


@dataclass(frozen=True)
class Peer:
    """One recommender, and what it is tried with."""

    recommend: Callable[..., pl.DataFrame]
    """`recommend(history, customers, engine, seed, **settings)`: (customer, article, rank from 1) of `customers`
    (customer), at most `PLACES` articles each, none twice."""
    settings: Sequence[Mapping[str, Any]]
    """The settings that are tried on a week before those that count: the first as its authors or public solutions have
    them."""
    libraries: tuple[str, ...] = ()
    """Distributions that do the work, for the record."""
    needs: frozenset[str] = frozenset()
    """The optional columns that the data must have."""
