"""When trees stop: by a smoothed curve, worked out by hand."""

import pytest

from hmgpu.parts.models.trees.fitting import METRIC
from hmgpu.parts.models.trees.stopping import WATCHED, Stopping, smoothed


def test_each_value_counts_with_its_neighbours():
    assert smoothed([1.0, 5.0, 3.0, 0.0], 0).tolist() == [1, 5, 3, 0]
    assert smoothed([1.0, 5.0, 3.0, 0.0], 1) == pytest.approx([6 / 2, 9 / 3, 8 / 3, 3 / 2])
    assert smoothed([1.0, 5.0, 3.0, 0.0], 9) == pytest.approx([9 / 4] * 4)


def stopped(values: list[float], patience: int) -> tuple[int, int]:
    """After how many trees it stops, and how many of them are kept."""
    stop = Stopping(patience)
    for tree in range(len(values)):
        if stop.after_iteration(None, tree, {WATCHED: {METRIC: values[: tree + 1]}}):
            break
    return tree + 1, len(stop.after_training(values))


def test_with_little_patience_the_highest_value_decides_and_the_first_of_equals():
    assert stopped([0.1, 0.3, 0.2, 0.3, 0.1, 0.9], 3) == (5, 2)


def test_a_lucky_peak_does_not_decide():
    climbing = [0.50, 0.51, 0.60, *(0.51 + 0.001 * tree for tree in range(40)), *[0.54] * 60]
    assert stopped(climbing, 2)[1] == 3
    trees, kept = stopped(climbing, 40)
    assert trees == kept + 40
    assert kept > 40


def test_what_only_climbs_is_kept_to_the_end():
    assert stopped([tree / 20 for tree in range(20)], 20) == (20, 20)
