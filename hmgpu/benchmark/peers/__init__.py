"""Well-known public recommenders, one a file: the yardstick for hmgpu's lists. Only a benchmark uses them.

A peer gets what a part gets, a History and nothing else, and every module here that names a `PEER` is one. It may
return fewer than twelve articles, and leave out customers without purchases: the benchmark fills all lists with the
same best sellers. lenskit's PopScorer is left out: `popular` gives the same list.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from hmgpu.core.list_length import K

PLACES = K
"""Articles that a peer recommends at most."""


@dataclass(frozen=True)
class Peer:
    """One recommender, and the settings that are tried."""

    recommend: Callable[..., pl.DataFrame]
    """`recommend(history, customers, engine, seed, **settings)`: (customer, article, rank from 1) of `customers`
    (customer), at most `PLACES` articles each, none twice."""
    settings: Sequence[Mapping[str, Any]]
    """The settings that are tried on the week before those that count; the first come from authors or public code."""
    libraries: tuple[str, ...] = ()
    """Distributions that do the work; their versions go into the result."""
    needs: frozenset[str] = frozenset()
    """The optional columns that the data must have."""
