"""Choose an ensemble from a library of models, one after another, with replacement.

Ensemble selection (Caruana, Niculescu-Mizil, Crew & Ksikes 2004, "Ensemble selection from libraries of models"): start
from the best model, and add, again and again, the one with which the mean of all that were added is best on lists that
none of them was fitted on. Added is what a place in a list is worth, 1 / (smooth + rank), since scores of different
models have nothing in common but the order.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from hmgpu.core.list_length import K
from hmgpu.parts.examples import LABEL

TOP = 50
"""Places that the NDCG by which is chosen looks at: it jumps less than MAP@12 where few customers are judged."""
Matrix = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Lists:
    """Lists of customers who bought one of their candidates, each padded to the longest."""

    bought: Matrix
    """(bought pairs, 2) the list and the place in it of each bought candidate, sorted."""
    places: Matrix
    """(rows, 2) the list and the place in it of each candidate, in the order of the tables."""
    shape: tuple[int, int]

    @classmethod
    def of(cls, tables: Iterable[pl.DataFrame]) -> "Lists":
        """Return the lists of `tables` (customer, article, label), sorted by both keys, each of whole customers."""
        lengths, labels = [np.empty(0, np.int64)], [np.empty(0, np.int8)]
        for table in tables:
            lengths.append(table["customer"].rle().struct["len"].cast(pl.Int64).to_numpy())
            labels.append(table[LABEL].to_numpy())
        sizes, label = np.concatenate(lengths), np.concatenate(labels)
        of = np.repeat(np.arange(len(sizes)), sizes)
        places = np.column_stack([of, np.arange(len(of)) - np.repeat(sizes.cumsum() - sizes, sizes)])
        return cls(places[label > 0], places, (len(sizes), int(sizes.max(initial=0))))

    def worth(self, scores: Sequence[pl.Series], smooth: float) -> Matrix:
        """Return (lists, longest) float64: 1 / (smooth + rank) of each candidate, 0 where it has no score.

        Args:
            scores: a model's, one series for each of the tables; ties go to the candidate that comes first.
        """
        square = np.full(self.shape, -np.inf)
        row, column = self.places.T
        square[row, column] = pl.concat(scores).cast(pl.Float64).fill_null(-np.inf).to_numpy()
        order = np.argsort(-square, axis=1, kind="stable")
        rank = np.empty(self.shape)
        np.put_along_axis(rank, order, np.arange(1.0, self.shape[1] + 1)[None], axis=1)
        return np.where(np.isfinite(square), 1 / (smooth + rank), 0.0)

    def ranks(self, worth: Matrix) -> Matrix:
        """Return the rank from 1 of each bought candidate by `worth`, infinite where it is worth nothing."""
        row, column = self.bought.T
        own, others = worth[row, column][:, None], worth[row]
        before = np.arange(self.shape[1])[None] < column[:, None]
        rank = 1.0 + ((others > own) | ((others == own) & before)).sum(1)
        return np.where(own[:, 0] > 0, rank, np.inf)

    def ndcg(self, ranks: Matrix) -> float:
        """Return the mean NDCG@50 of the lists."""
        gains = np.where(ranks <= TOP, 1 / np.log2(ranks + 1), 0.0)
        ideal = np.concatenate([[0.0], (1 / np.log2(np.arange(1, TOP + 1) + 1)).cumsum()])
        most = ideal[np.minimum(self._bought_of_each(), TOP)]
        return float((np.bincount(self.bought[:, 0], gains, self.shape[0]) / most).mean())

    def map(self, ranks: Matrix) -> float:
        """Return the mean average precision at 12 of the lists, of what was bought among their candidates."""
        order = np.lexsort((ranks, self.bought[:, 0]))
        of, rank = self.bought[order, 0], ranks[order]
        counts = self._bought_of_each()
        hit = np.arange(len(of)) - np.repeat(counts.cumsum() - counts, counts) + 1
        precision = np.where(rank <= K, hit / rank, 0.0)
        return float((np.bincount(of, precision, self.shape[0]) / np.minimum(counts, K)).mean())

    def _bought_of_each(self) -> Matrix:
        found: Matrix = np.bincount(self.bought[:, 0], minlength=self.shape[0])
        return found


def chosen(lists: Lists, library: Mapping[str, Matrix], picks: int, most: int) -> dict[str, float]:
    """Return the weights of the ensemble's members, which add up to 1, the heaviest first.

    Args:
        lists: what is judged on.
        library: each model's `Lists.worth`, by its name.
        picks: how many times a model is added; the ensemble that was best on the way is returned.
        most: different members that it may have.
    """
    counts, total = Counter[str](), np.zeros(lists.shape)
    best, found = -1.0, Counter[str]()
    for _ in range(picks):
        open_to = library if len(counts) < most else {name: library[name] for name in counts}
        value, name = max(
            # A tie goes to the first of the library.
            ((lists.ndcg(lists.ranks(total + worth)), -place), name)
            for place, (name, worth) in enumerate(open_to.items())
        )
        counts[name] += 1
        total = total + library[name]
        if value[0] > best:
            best, found = value[0], counts.copy()
    names = sorted(found, key=lambda name: (-found[name], [*library].index(name)))
    return {name: found[name] / found.total() for name in names}
