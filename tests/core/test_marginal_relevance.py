"""Maximal marginal relevance, next to a plain loop, and worked by hand."""

import numpy as np
import pytest

from hmgpu.core import marginal_relevance
from hmgpu.core.marginal_relevance import choose, cosines, same_codes


def one_by_one(relevance: list[float], like: np.ndarray, share: float, n: int) -> list[int]:
    chosen: list[int] = []
    while len(chosen) < min(n, len(relevance)):
        left = [row for row in range(len(relevance)) if row not in chosen]
        worth = [share * relevance[r] - (1 - share) * max((like[r, c] for c in chosen), default=0.0) for r in left]
        chosen.append(left[worth.index(max(worth))])
    return [chosen.index(row) + 1 if row in chosen else 0 for row in range(len(relevance))]


@pytest.mark.parametrize("share", [1.0, 0.7, 0.0])
def test_it_is_what_a_loop_gives_in_whatever_batches(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marginal_relevance, "AT_ONCE", 40)
    rng = np.random.default_rng(2)
    sizes = np.array([3, 9, 1, 6, 9, 2])
    rows = int(sizes.sum())
    codes = rng.integers(-1, 3, (rows, 4)).astype(np.int32)
    relevance = np.round(rng.random(rows), 1)  # with ties
    like = ((codes[:, None] == codes) & (codes >= 0)).mean(axis=2)
    found = choose(sizes, relevance, same_codes(codes), 4, share, 5)
    ends = np.cumsum(sizes)
    for start, end in zip(ends - sizes, ends, strict=True):
        own = slice(start, end)
        assert found[own].tolist() == one_by_one(relevance[own].tolist(), like[own, own], share, 5)


def test_the_second_is_unlike_the_first() -> None:
    relevance = np.array([1.0, 0.9, 0.5])
    vectors = np.array([[2048, 0], [2048, 0], [0, 2048]], np.int16)
    sizes = np.array([3])
    assert choose(sizes, relevance, cosines(vectors, 2048), 2, 0.5, 2).tolist() == [1, 0, 2]
    # What has no vector is like none.
    vectors[1] = 0
    assert choose(sizes, relevance, cosines(vectors, 2048), 2, 0.5, 2).tolist() == [1, 2, 0]
    assert choose(np.array([], np.int64), np.array([]), cosines(vectors, 2048), 2, 0.5, 2).tolist() == []
