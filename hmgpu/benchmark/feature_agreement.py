"""Check that contenders computed the same features of candidates: families' plans on an engine, and pandas."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import polars as pl

from hmgpu.benchmark.agreement import DisagreementError, largest_difference
from hmgpu.parts.candidates import KEYS

TOLERANCE = 1e-4  # pandas sums decayed weights in floats, hmgpu in multiples of 2^-31, some hundreds at most
AT_ONCE = 16  # columns compared at a time; copies of whole tables would not fit next to what contenders hold


class FeatureAgreement:
    """Compares candidates with their features, and remembers how far apart the numbers were."""

    def __init__(self) -> None:
        self.apart: dict[str, float] = {}

    def check(self, what: str, results: Mapping[str, Any]) -> None:
        """Compare each result's columns with the first's. Raises DisagreementError."""
        first, *others = results
        for name in others:
            self._compare(f"{what}: {first} and {name}", f"{first} and {name}", results[first], results[name])

    def said(self) -> str:
        """Return how far apart the numbers were, as a sentence."""
        apart = "; ".join(f"{pair} at most {gap:.1e} apart" for pair, gap in self.apart.items())
        return f"whole numbers equal, others within {TOLERANCE} of each other, as a share of those above 1 ({apart})"

    def _compare(self, what: str, pair: str, ours: pl.DataFrame, theirs: Any) -> None:
        if {*ours.columns} != {*theirs.columns}:
            raise DisagreementError(f"{what}: columns differ: {sorted({*ours.columns} ^ {*theirs.columns})}.")
        names = [name for name in ours.columns if name not in KEYS]
        for start in range(0, len(names), AT_ONCE):
            chosen = [*KEYS, *names[start : start + AT_ONCE]]
            mine = ours.select(chosen)
            try:
                gap = largest_difference(mine, _as_polars(theirs[chosen], mine), TOLERANCE, KEYS, relative=True)
            except DisagreementError as error:
                raise DisagreementError(f"{what}: {error}") from None
            self.apart[pair] = max(self.apart.get(pair, 0.0), gap)


def _as_polars(table: Any, like: pl.DataFrame) -> pl.DataFrame:
    """A pandas frame with the types of `like` and missing numbers null; a fraction stays one, to be refused."""
    if isinstance(table, pl.DataFrame):
        return table
    converted = pl.from_pandas(pd.DataFrame(table), nan_to_null=True)
    whole = {
        name: dtype
        for name, dtype in like.schema.items()
        if dtype.is_integer() and (converted[name] == converted[name].cast(dtype, strict=False)).all()
    }
    return converted.cast(whole)  # type: ignore[arg-type]
