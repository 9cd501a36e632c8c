"""Check that contenders came to the same result: codes and lists equal, numbers within a stated tolerance."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import polars as pl

from hmgpu.core.errors import HmgpuError


class DisagreementError(HmgpuError):
    """Contenders came to different results, so their speeds can't be compared."""


def largest_difference(
    ours: pl.DataFrame,
    theirs: pl.DataFrame,
    tolerance: float,
    by: Sequence[str] = ("key",),
    relative: bool = False,
) -> float:
    """Return the largest difference between the floats of two tables; all other columns must be equal.

    Args:
        by: the key columns: rows with the same keys are compared.
        relative: a difference counts as a share of the number where the number is larger than 1.

    Raises DisagreementError where columns, rows or values differ, or numbers by more than `tolerance`.
    """
    if set(ours.columns) != set(theirs.columns):
        raise DisagreementError(f"columns differ: {sorted(set(ours.columns) ^ set(theirs.columns))}.")
    ours, theirs = ours.sort(by), theirs.sort(by)
    if not ours.select(by).equals(theirs.select(by)):
        raise DisagreementError(f"keys differ: {ours.height} and {theirs.height} rows.")
    largest = 0.0
    for name in ours.columns:
        mine, other = ours[name], theirs[name]
        if mine.dtype.is_float() and other.dtype.is_float():
            numbers = [one.cast(pl.Float64).fill_nan(None) for one in (mine, other)]
            gaps = (numbers[0] - numbers[1]).abs()
            if relative:
                gaps = gaps / numbers[1].abs().clip(lower_bound=1.0)
            gap = cast(float | None, gaps.max()) or 0.0
            if gap > tolerance or not numbers[0].is_null().equals(numbers[1].is_null()):
                raise DisagreementError(
                    f"column '{name}' differs by {gap}, more than {tolerance}, or in what is missing."
                )
            largest = max(largest, gap)
        elif not mine.equals(other):
            rows: list[tuple[Any, ...]] = pl.DataFrame([*ours.select(by), mine.alias("1"), other.alias("2")]).rows()
            *keys, one, two = next(row for row in rows if row[-2] != row[-1])
            place = ", ".join(f"{key} {value}" for key, value in zip(by, keys, strict=True))
            raise DisagreementError(f"column '{name}' differs at {place}: {one} and {two}.")
    return largest


def same_tensors(ours: Mapping[str, Any], theirs: Mapping[str, Any], tolerance: float = 0.0) -> float:
    """Return the largest difference between tensors of the same names and shapes.

    Raises DisagreementError where they differ by more than `tolerance`.
    """
    if set(ours) != set(theirs):
        raise DisagreementError(f"names differ: {sorted(set(ours) ^ set(theirs))}.")
    largest = 0.0
    for name, mine in ours.items():
        other = theirs[name].to(mine.device)
        if mine.shape != other.shape:
            raise DisagreementError(f"'{name}' has {tuple(mine.shape)} and {tuple(other.shape)} values.")
        gap = float((mine.double() - other.double()).abs().max()) if mine.numel() else 0.0
        if not gap <= tolerance:  # so that NaN is refused too
            raise DisagreementError(f"'{name}' differs by {gap}, more than {tolerance}.")
        largest = max(largest, gap)
    return largest
