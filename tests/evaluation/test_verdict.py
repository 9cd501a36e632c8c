"""How far a ranker is ahead of the simple method, in words."""

import polars as pl
import pytest

from hmgpu.evaluation.verdict import verdict


def said(simple: list[float], ranker: list[float], name: str = "repurchase_popular") -> str:
    rows = pl.DataFrame({"customer": range(len(simple)), name: simple, "ranker": ranker})
    return verdict({"map_at_12": rows.drop("customer").mean().row(0, named=True)}, rows)


def test_the_ratio_and_its_interval() -> None:
    assert said([0.5] * 40, [1.0] * 40) == ("MAP@12 is 2.00 times that of repurchase + popular (95 %: 2.00 to 2.00).")
    assert "own past + best sellers" in said([0.5] * 40, [1.0] * 40, "own_past")


def test_what_may_be_chance_is_called_so() -> None:
    assert said([0.5, 1.0, 0.0, 0.5], [1.0, 0.5, 0.5, 0.0]).endswith(": that may be chance.")


def test_without_a_simple_method_there_is_nothing_to_be_ahead_of() -> None:
    assert said([0.5], [1.0], "popular") == "No simple method was scored, so there is nothing to be ahead of."


@pytest.mark.parametrize("ranker", [0.0, 0.5])
def test_nothing_is_no_divisor(ranker: float) -> None:
    assert (
        said([0.0, 0.0], [ranker, ranker]) == "repurchase + popular found nothing, so there is nothing to be ahead of."
    )
