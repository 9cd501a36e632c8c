"""Prices paid."""

import pytest
from data.explore.shown import bars, block, line

from hmgpu.data.explore.prices import prices


def test_prices_are_in_the_data_s_unit(whole):
    section = prices(whole)
    quantiles = block(section, "This share of the units")
    # By units: 3 at 100, 2 at 200, 1 at 300, 1 at 500, 7 at 1000 of 1/59000.
    assert quantiles.rows == [["price", *(f"{units / 59000:.4g}" for units in (100, 100, 200, 500, 1000, 1000, 1000))]]
    shares = bars(section, "Units by price")
    assert sum(shares.values()) == pytest.approx(1)
    assert list(shares.values())[-1] == 0.5
    assert line(section, "Mean price") == {
        "mean": [pytest.approx(400 / 3 / 59000), pytest.approx(7300 / 8 / 59000), pytest.approx(350 / 59000)]
    }


def test_prices_are_named_as_the_retailer_does(whole):
    assert prices(whole).lead == (
        "Prices paid, as the column price has them; H&M's public prices are scaled: a price of 0.0169 may have been "
        "9.99."
    )
    settings = whole.store.manifest.settings
    settings["columns"]["transactions"]["price"], settings["currency"] = "Preis netto", "EUR"
    assert prices(whole).lead == "Prices paid, as the column Preis netto has them, in EUR."


def test_prices_of_thousands_are_no_powers_of_ten(whole):
    whole.store.manifest.settings["price_unit"] = "19.99"
    (_, *cost), *_ = block(prices(whole), "This share of the units").rows
    assert cost == ["1,999", "1,999", "3,998", "9,995", "19,990", "19,990", "19,990"]
    assert line(prices(whole), "Mean price")["mean"][0] == pytest.approx(400 / 3 * 19.99)
