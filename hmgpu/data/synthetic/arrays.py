"""Array types and random streams of the synthetic data."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Stream(IntEnum):
    """Random streams, one for each part of the data, so that changing one part leaves the others as they were."""

    CATALOGUE = 0
    CUSTOMERS = 1
    DEMAND = 2
    PURCHASES = 3
    TEXTS = 4
    PICTURES = 5


def generator(seed: int, stream: Stream, *step: int) -> np.random.Generator:
    """Return the random numbers of one part of the data (and of one step, e.g. a day) for `seed`."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, stream, *step])))


def pick(rng: np.random.Generator, weights: Floats) -> Longs:
    """Sample one column a row in proportion to the row's weights; the last column where all are 0.

    weights: (n, k). Returns (n,).
    """
    cumulative = np.cumsum(weights, axis=1, dtype=np.float64)
    at = rng.random(len(weights))[:, None] * cumulative[:, -1:]
    chosen: Longs = np.minimum((cumulative <= at).sum(axis=1), weights.shape[1] - 1)
    return chosen
