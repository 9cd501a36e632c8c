"""Words for numbers of things."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return the number and the noun: `1 row`, `2,000 rows`, `0 boxes` with the plural `boxes`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def rounded(number: float, unit: str = "") -> str:
    """Return a number by its first four digits, a large one without decimals: `0.01695`, `19.99 EUR`, `237,812`."""
    text = f"{number:,.0f}" if abs(number) >= 9999.5 else f"{number:,.4g}"
    return f"{text} {unit}" if unit else text
