"""A unit that prices are no multiples of is refused, with the one that fits."""

from fractions import Fraction

import numpy as np
import pytest
from small_world import SmallShop

from hmgpu.core.errors import DataError
from hmgpu.data.ingest import ingest
from hmgpu.data.ingest.price_unit import fitting_unit


@pytest.mark.parametrize(
    ("prices", "unit"),
    [
        (["2.55", "3.39", "10"], "0.01"),
        (["2.5", "10"], "2.5"),
        (["9.95", "19.9", "5.05", "0"], "0.05"),
        (["5", "15", "1e2"], "5"),
        (["0.001", "12.5"], "0.001"),
        ([repr(units / 59000) for units in (2999, 1, 500)], "1/59000"),
        ([repr(units / 3) for units in (1, 2, 7)], "1/3"),
        (["free", "", "12.34", "0.02"], "0.02"),
        (["3.14159265358979"], None),
        (["0"], None),
        (["0.000001", "9999999"], None),
    ],
)
def test_the_largest_unit_that_fits(prices: list[str], unit: str | None) -> None:
    assert fitting_unit(prices) == unit


def test_any_unit_is_found_again() -> None:
    draw = np.random.default_rng(0)
    for unit in ("1/59000", "0.01", "0.05", "1", "0.25", "1/1000"):
        exact = Fraction(unit)
        found = fitting_unit([repr(float(exact * int(units))) for units in [1, *draw.integers(1, 30_000, 200)]])
        assert found is not None
        assert Fraction(found) == exact


def priced(shop: SmallShop, off: int) -> None:
    """200 sales in whole crowns, of which `off` have cents."""
    header, *rows = shop.read("transactions")
    for number, row in enumerate(rows := [list(row) for row in rows * 5]):
        row[3] = f"{number + 1}.{37 if number < off else 0:02}"
    shop.write("transactions", [header, *rows])


def test_a_unit_that_does_not_fit_is_refused_with_the_one_that_does(shop: SmallShop) -> None:
    priced(shop, 3)
    with pytest.raises(
        DataError, match=r"3 of 200 prices .*\(1\.50%\).*`data\.price_unit`, which is 1,.*set it to 0\.01"
    ):
        ingest(shop.settings(price_unit=1))
    assert not shop.root.exists()
    assert ingest(shop.settings(price_unit="0.01")).prices_rounded == 0


def test_one_in_a_hundred_may_be_rounded_or_as_many_as_the_config_says(shop: SmallShop) -> None:
    priced(shop, 2)
    assert ingest(shop.settings(price_unit=1)).prices_rounded == 2
    priced(shop, 200)
    assert ingest(shop.settings(price_unit=1, max_rounded=1.0), replace=True).prices_rounded == 200


def test_prices_that_are_multiples_of_nothing(shop: SmallShop) -> None:
    header, *rows = shop.read("transactions")
    shop.write("transactions", [header, *([*row[:3], repr((n + 1) ** 0.5), row[4]] for n, row in enumerate(rows))])
    with pytest.raises(DataError, match=r"no unit fits.*`data\.max_rounded: 1`"):
        ingest(shop.settings())
