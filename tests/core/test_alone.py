"""What is done in a process of its own."""

from hmgpu.core.alone import alone


def test_what_is_done_alone_gives_its_result():
    assert alone(max, 3, 5) == 5
