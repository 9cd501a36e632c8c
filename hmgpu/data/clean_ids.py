"""Clean ids that are written in more than one way."""

from collections.abc import Callable, Iterable
from typing import Literal

import polars as pl

IdStep = Literal["trim", "upper", "lower", "whole"]
WHOLE = r"^([0-9]+)\.0+$"  # a whole number with decimals


def cleaned(ids: pl.Expr, steps: Iterable[IdStep]) -> pl.Expr:
    """Return `ids` (String) after `steps` (`data.clean_ids`), in their order."""
    for step in steps:
        ids = _CLEANED[step](ids)
    return ids


_CLEANED: dict[IdStep, Callable[[pl.Expr], pl.Expr]] = {
    "trim": lambda text: text.str.strip_chars(),
    "upper": lambda text: text.str.to_uppercase(),
    "lower": lambda text: text.str.to_lowercase(),
    "whole": lambda text: text.str.replace(WHOLE, "$1"),
}
