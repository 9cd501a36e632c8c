"""Find the unit of which prices are whole multiples, for whoever gave one that doesn't fit."""

import math
from collections.abc import Iterable
from fractions import Fraction

SMALLEST = 1_000_000  # denominator of a price or unit; other prices are multiples of no unit
CLOSE = Fraction(1, 10**15)  # of a price, or absolutely: floats are nearer than that to the fraction they stand for
LARGEST = 2**31 - 1  # price units that fit into an int32


def fitting_unit(prices: Iterable[str]) -> str | None:
    """Return the largest unit that all `prices` are multiples of, as `data.price_unit` takes it; None if none fits."""
    values = list[Fraction]()
    for text in prices:
        try:
            exact = Fraction(text)
        except (ValueError, ZeroDivisionError):
            continue
        value = exact.limit_denominator(SMALLEST)
        if exact > 0 and abs(value - exact) > CLOSE * max(exact, Fraction(1)):
            return None
        if value > 0:
            values.append(value)
    if not values:
        return None
    below = math.lcm(*(value.denominator for value in values))
    unit = Fraction(math.gcd(*(int(value * below) for value in values)), below)
    if below > SMALLEST or max(values) / unit > LARGEST:
        return None
    return _written(unit)


def _written(unit: Fraction) -> str:
    """Write a unit as a decimal number where it is one."""
    places = next((places for places in range(7) if (unit * 10**places).denominator == 1), None)
    return str(unit) if places is None else f"{int(unit * 10**places) / 10**places:.{places}f}"
