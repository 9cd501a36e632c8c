"""Units, customers and articles a week, and by channel."""

import pytest
from data.explore.shown import facts, line

from hmgpu.data.explore.sales import sales


def test_sales_a_week(whole):
    section = sales(whole)
    assert facts(section) == {"units": "14", "customers": "4", "articles": "5", "whole weeks": "3"}
    assert line(section, "Units") == {"units": [3, 8, 2]}
    assert line(section, "Customers") == {"customers": [2, 2, 1]}
    assert line(section, "Articles") == {"articles": [2, 2, 2]}
    assert line(section, "Share of a week's units by") == {
        "1": [pytest.approx(2 / 3), 0.0, 0.5],
        "2": [pytest.approx(1 / 3), 1.0, 0.5],
    }
