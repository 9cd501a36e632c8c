"""Describe ids by a regular expression that those of next week will match, too."""

import re

import polars as pl

ANY = r"\S(.*\S)?"
"""What is not blank at its ends."""
LONGEST_PREFIX = 6


def pattern_of(ids: pl.Series) -> str:
    """Return a regular expression that all `ids` (String, without nulls) match in full.

    It says how long ids are only where they all are as long: `\\d{10}`, `[0-9a-f]{64}`, `K-\\d{5}`. Others are of any
    shape.
    """
    if ids.is_empty():
        return ANY
    lengths = ids.str.len_chars()
    short, long = int(lengths.min()), int(lengths.max())  # type: ignore[arg-type]
    prefix = _prefix(ids)
    rest = ids.str.slice(len(prefix))
    left = f"{{{long - len(prefix)}}}" if short == long else "+"
    for letters in (r"\d", "[0-9a-f]", "[0-9A-F]"):
        if rest.str.contains(f"^{letters}+$").all() and (letters == r"\d" or (short == long and long >= 16)):
            return re.escape(prefix).replace(r"\-", "-") + letters + left
    return ANY


def _prefix(ids: pl.Series) -> str:
    """The letters that all ids begin with, up to the first digit."""
    first = str(ids[0])
    for length in range(min(LONGEST_PREFIX, len(first)), 0, -1):
        start = first[:length]
        if not re.search(r"\d", start) and not start.isspace() and ids.str.starts_with(start).all():
            return "" if re.fullmatch("[a-f]+", start) and ids.str.contains("^[0-9a-f]+$").all() else start
    return ""
