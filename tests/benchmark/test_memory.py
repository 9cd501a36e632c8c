"""Memory is measured in a process of its own, between items or at its height."""

from functools import partial
from operator import methodcaller

from hmgpu.benchmark.memory import held, peak

MIB_100 = 100 * 2**20


def test_memory_is_seen_in_a_process_of_its_own():
    assert 80 < held(partial(map, bytearray, [MIB_100])) < 250


def test_the_peak_counts_what_was_needed_in_passing():
    assert 95 < peak(partial(methodcaller("__mul__", MIB_100), b"x"), partial(int)) < 150


def test_what_was_needed_to_begin_with_does_not_count():
    assert peak(partial(int), partial(methodcaller("__mul__", MIB_100), b"x")) < 50
