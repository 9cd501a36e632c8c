"""Choose rows one by one, each relevant and unlike those before it: maximal marginal relevance, of many groups at once.

Carbonell & Goldstein 1998: the next row is the one of the largest share · relevance - (1 - share) · its likeness to the
row chosen before that is most like it.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Likeness = Callable[[Places, Places], Numbers]
"""Takes rows (groups, width) and one row of each group (groups); returns how alike they are (groups, width), 0 to 1."""

AT_ONCE = 1 << 21  # numbers that the likeness of a batch is computed from


def choose(sizes: Places, relevance: Numbers, alike: Likeness, width: int, share: float, n: int) -> Places:
    """Return the place from 1 of each row that is chosen, at most `n` a group, and 0 of the others; of ties the first.

    Args:
        sizes: rows of each group; a group's rows follow each other.
        relevance: of each row.
        width: numbers that a row is described by, which bounds how many groups are worked on at once.
        share: weight of relevance, 0 to 1.
    """
    chosen = np.zeros(len(relevance), np.int64)
    starts = np.cumsum(sizes) - sizes
    every = max(1, AT_ONCE // max(1, width * int(sizes.max(initial=1))))
    for first in range(0, len(sizes), every):
        batch = slice(first, first + every)
        _choose(chosen, starts[batch], sizes[batch], relevance, alike, share, n)
    return chosen


def _choose(
    chosen: Places, starts: Places, sizes: Places, relevance: Numbers, alike: Likeness, share: float, n: int
) -> None:
    offsets = np.arange(int(sizes.max()))
    free = offsets < sizes[:, None]
    rows = np.where(free, starts[:, None] + offsets, starts[:, None])
    wanted, like = share * relevance[rows], np.zeros(rows.shape)
    groups = np.arange(len(rows))
    for place in range(1, min(n, rows.shape[1]) + 1):
        best = np.where(free, wanted - (1 - share) * like, -np.inf).argmax(axis=1)
        left = free[groups, best]  # groups that have rows left
        taken = rows[groups, best]
        chosen[taken[left]] = place
        free[groups, best] = False
        like = np.maximum(like, alike(rows, taken))


def same_codes(codes: npt.NDArray[np.int32]) -> Likeness:
    """Return the likeness by `codes` (row, field), the share of fields that are the same; -1 is unknown, like none."""

    def alike(rows: Places, taken: Places) -> Numbers:
        own = codes[taken][:, None, :]
        same: Numbers = ((codes[rows] == own) & (own >= 0)).sum(axis=2) / codes.shape[1]
        return same

    return alike


def cosines(vectors: npt.NDArray[np.int16], steps: int) -> Likeness:
    """Return the likeness by `vectors` (row, number) in whole `steps`: their dot product, 0 where it is negative.

    The products are whole numbers that float32 holds exactly (see `hmgpu.core.vectors`), in whatever order they are
    summed. A row of zeros, which has no vector, is like none.
    """

    def alike(rows: Places, taken: Places) -> Numbers:
        own = vectors[taken].astype(np.float32)
        dots = np.matmul(vectors[rows].astype(np.float32), own[:, :, None])[:, :, 0]
        positive: Numbers = np.maximum(dots.astype(np.float64) / steps**2, 0.0)
        return positive

    return alike
