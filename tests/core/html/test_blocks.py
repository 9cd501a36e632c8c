"""Numbers are formatted as text, and blocks compute what templates need."""

import pytest

from hmgpu.core.html.blocks import Bars, Heat, Section, count, rate, score, share


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (count(12_345.4), "12,345"),
        (share(0.1234), "12.3 %"),
        (share(None), "–"),
        (rate(0.01234), "1.23 %"),
        (score(0.012345), "0.01235"),
        (score(None), "–"),
    ],
)
def test_numbers_as_text(text, says):
    assert text == says


def test_the_longest_bar_is_the_largest_value_and_nothing_is_divided_by_nothing():
    assert Bars("Recall", [("a", 0.25, ""), ("b", 0.5, "")]).most == 0.5
    assert Bars("Recall", [("a", 0.0, "")]).most == Bars("Recall", []).most == 1.0


def test_cells_are_shares_or_numbers_or_empty():
    shares, numbers = (Heat("", "", [], [], 1.0, percent=percent) for percent in (True, False))
    assert [shares.text(value) for value in (0.256, None)] == ["26", ""]
    assert [numbers.text(value) for value in (1.25, 2.0, None)] == ["1.2", "2.0", ""]


def test_an_anchor_holds_no_markup():
    assert Section('What\'s "new"?', "", []).anchor == "what-s--new--"
