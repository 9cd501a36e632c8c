"""How much customers buy, and how old they are."""

import pytest
from data.explore.shown import bars, block, facts, line

from hmgpu.core.html.blocks import Grid
from hmgpu.data.explore.buyers import buyers


def test_what_customers_buy(whole):
    section = buyers(whole)
    shown = facts(section)
    assert shown["ever bought"] == "3"
    assert shown["bought one unit"] == "0.0 %"
    assert shown["bought on one day only"] == "0.0 %"
    assert shown["units bought by the top 1 % of customers"] == "50.0 %"  # customer 3 has 7 of 14
    quantiles = block(section, "This share of the customers")
    assert isinstance(quantiles, Grid)
    assert quantiles.rows == [
        ["units", "3", "3", "4", "7", "7", "7", "7"],
        ["days with a purchase", "3", "3", "3", "3", "3", "3", "3"],
    ]
    assert bars(section, "Customers by the units") == {"1": 0, "2–3": pytest.approx(1 / 3), "4–7": pytest.approx(2 / 3)}
    assert bars(section, "Their share") == {"1": 0, "2–3": pytest.approx(3 / 14), "4–7": pytest.approx(11 / 14)}
    # Customer 1 bought first in the week that is cut off.
    assert line(section, "Customers who buy for the first") == {"customers": [1, 1, None]}
    # The first four customers of small_shop are 21 to 24 years old.
    assert bars(section, "Customers by age") == {"20–24": 4}
    assert bars(section, "Units by age") == {"20–24": 14}
