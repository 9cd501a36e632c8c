"""What customers buy again, and what they buy several units of."""

from data.explore.shown import facts, line

from hmgpu.data.explore import repurchases as module
from hmgpu.data.explore.repurchases import repurchases, weekly


def test_a_repurchase_was_bought_on_an_earlier_day(whole):
    table = weekly(whole)
    assert table.select("purchases", "again", "several", "bulk").rows() == [
        (1, 0, 0, 0),  # the week that is cut off
        (2, 1, 1, 0),  # customer 1 buys article 1 again, twice
        (4, 3, 1, 1),  # customer 1 again; customer 3 buys article 3 on three days, five units on the last
        (2, 1, 0, 0),
    ]
    section = repurchases(whole)
    assert line(section, "Share") == {"repurchases": [0.5, 0.75, 0.5]}
    assert facts(section) == {
        "purchases": "9",
        "repurchases": "55.6 %",
        "purchases of several units": "22.2 %",
        "purchases of 5 units or more": "11.1 %",
    }


def test_slices_of_customers_change_nothing(whole, monkeypatch):
    once = weekly(whole)
    monkeypatch.setattr(module, "ROWS", 5)
    assert weekly(whole).equals(once)
