"""Line charts have round ticks, all points between them, and gaps where values are missing."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmgpu.core.html.lines import Lines


def chart(values, **given_):
    """A chart of one line through `values`."""
    return Lines("Units", "week", [f"w{n}" for n in range(len(values))], {"units": values}, **given_)


def points(path: str) -> list[tuple[float, float]]:
    """The points of an SVG path."""
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]


def test_ticks_are_round_and_rise():
    ticks = chart([0, 35, 71]).ticks
    assert [text for _, text in ticks] == ["0", "20", "40", "60", "80"]
    heights = [y for y, _ in ticks]
    assert heights == sorted(heights, reverse=True)


def test_a_curve_can_start_at_its_smallest_value():
    ticks = chart([0.41, 0.43], from_zero=False, text="{:.3f}".format).ticks
    texts = [text for _, text in ticks]
    assert (texts[0], texts[-1]) == ("0.410", "0.430")


@settings(deadline=None)  # machines are noisy
@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=30), st.booleans())
def test_every_point_is_inside(values, from_zero):
    drawn = chart(values, from_zero=from_zero)
    ((_, path, _),) = drawn.paths
    assert len(points(path)) == len(values)
    for x, y in points(path):
        assert 0 <= x <= 100
        assert -0.1 <= y <= 100.1
    assert 1 <= len(drawn.labels) <= 8
    assert 2 <= len(drawn.ticks) <= 7


def test_a_gap_lifts_the_pen():
    ((_, path, _),) = chart([1, 2, None, 3, 4]).paths
    assert re.sub("[^ML]", "", path) == "MLML"


def test_few_points_are_marked():
    (marks,), ((_, path, _),) = chart([1, 2, None, 3]).marks, chart([1, 2, None, 3]).paths
    assert (points(marks), re.sub("[^MLh]", "", marks)) == (points(path), "MhMhMh")
    assert chart([1] * 20).marks == [""]


def test_a_band_surrounds_each_stretch_of_known_intervals():
    spans = [(0, 2), (1, 3), None, (2, 4)]
    drawn = chart([1, 2, None, 3], bands={"units": spans})
    ((_, _, band),) = drawn.paths
    assert band == "M0.0 50.0L33.3 25.0L33.3 75.0L0.0 100.0ZM100.0 0.0L100.0 50.0Z"
    assert [text for _, text in drawn.ticks][-1] == "4"  # also the bands are inside


def test_a_narrow_page_has_half_of_the_labels():
    labels = chart(range(8)).labels
    assert [place for _, place, rare in labels if not rare] == ["w0", "w2", "w4", "w6"]
    assert [rare for _, _, rare in chart(range(4)).labels] == [False] * 4


def test_a_chart_without_values_is_empty():
    empty = chart([None, None])
    assert empty.paths == [("units", "", "")]
    assert empty.summary == "Units, by week. ."


@pytest.mark.parametrize("values", [[5, 5, 5], [0, 0]])
def test_one_value_is_a_level_line(values):
    ((_, path, _),) = chart(values).paths
    assert len({y for _, y in points(path)}) == 1
