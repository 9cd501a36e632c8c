"""Words for numbers of things."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return the number and the noun: `1 row`, `2,000 rows`, `0 boxes` with the plural `boxes`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
