"""How long a list is, and how long those were that figures are about; imports nothing heavy."""

import re
from collections.abc import Iterable

K = 12
"""Length of a list, as in Kaggle's H&M competition."""


def list_length(figures: Iterable[str]) -> int:
    """Read k from the name of the figure `map_at_<k>` among the names `figures`."""
    return next(int(found[1]) for name in figures if (found := re.fullmatch(r"map_at_(\d+)", name)))
