"""Words for numbers of things, and for names that nearly are others."""

import difflib
from collections.abc import Iterable


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return the number and the noun: `1 row`, `2,000 rows`, `0 boxes` with the plural `boxes`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def first_few(shown: Iterable[str], all_of_them: int) -> str:
    """Return those `shown`, and how many of `all_of_them` are not: `a, b and 3 more`."""
    named = list(shown)
    more = f" and {all_of_them - len(named):,} more" if all_of_them > len(named) else ""
    return f"{', '.join(named)}{more}"


def rounded(number: float, unit: str = "") -> str:
    """Return a number by its first four digits, a large one without decimals: `0.01695`, `19.99 EUR`, `237,812`."""
    text = f"{number:,.0f}" if abs(number) >= 9999.5 else f"{number:,.4g}"
    return f"{text} {unit}" if unit else text


def did_you_mean(given: str, known: Iterable[str]) -> str | None:
    """Return a question for the one of `known` that is most like `given`; None where none is."""
    near = difflib.get_close_matches(given, list(known), n=1)
    return f"did you mean '{near[0]}'?" if near else None
