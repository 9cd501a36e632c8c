"""Contenders take turns, and what is reported follows from their seconds by hand."""

import pytest

from hmgpu.benchmark.timing import Contender, Measurement, measure


def test_they_take_turns_and_the_warm_up_is_not_counted():
    ran = []
    contenders = [Contender(name, lambda name=name: ran.append(name)) for name in "ABC"]
    measured = measure("nothing", 1, "rows", contenders, repeats=2)
    assert ran == list("ABC" * 3)
    assert {name: len(seconds) for name, seconds in measured.seconds.items()} == dict.fromkeys("ABC", 2)
    assert measured.against == "C"


def test_results_are_compared_before_anything_is_timed():
    ran = []

    def refuse(results):
        assert results == {"A": 1, "B": 2}
        raise ValueError("differ")

    contenders = [Contender("A", lambda: ran.append("A") or 1), Contender("B", lambda: ran.append("B") or 2)]
    with pytest.raises(ValueError, match="differ"):
        measure("something", 1, "rows", contenders, 5, refuse)
    assert ran == ["A", "B"]


def test_ratios_are_of_runs_side_by_side():
    measured = Measurement("it", 100, "rows", "plain", {"ours": [1.0, 4.0, 2.0], "plain": [2.0, 8.0, 2.0]})
    assert measured.times_faster("ours") == [2.0, 2.0, 1.0]
    assert measured.times_faster("plain") == [1.0, 1.0, 1.0]
    assert measured.rows_per_second("ours") == 50.0
