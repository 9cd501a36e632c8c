"""How much of what a strategy proposes another proposes too."""

import dataclasses

import polars as pl
import pytest

from hmgpu.report.blocks import Heat
from hmgpu.report.strategies import overlap, strategies


def test_the_overlap_counts_candidates_and_hits(evaluated, engine):
    candidates, hits = overlap(evaluated.examples, ["repurchase", "popular"], engine)
    # repurchase: (1,10), (1,11), (2,12); popular: (1,10), (1,12), (2,10), (2,12), (2,13), (3,10)
    assert candidates == [("repurchase", [1.0, pytest.approx(2 / 3)]), ("popular", [pytest.approx(2 / 6), 1.0])]
    # Bought of them: (1,10) and (2,12), by both.
    assert hits == [("repurchase", [1.0, 1.0]), ("popular", [1.0, 1.0])]


def test_a_strategy_without_a_hit_shares_none(evaluated, engine):
    (file,) = evaluated.examples.files
    evaluated.examples.write(file, pl.read_parquet(file).with_columns(label=pl.lit(0, pl.Int8)), early=[])
    _, hits = overlap(evaluated.examples, ["repurchase", "popular"], engine)
    assert hits == [("repurchase", [None, None]), ("popular", [None, None])]


def test_one_strategy_has_nothing_to_overlap_with(evaluated):
    alone = dataclasses.replace(evaluated, strategies=["popular"])
    assert not [block for block in strategies(alone).blocks if isinstance(block, Heat)]


def test_the_overlap_translates_to_cudf(evaluated, engine, untranslated):
    class Watching:
        def collect(self, plan):
            assert untranslated(plan) == []
            return engine.collect(plan)

    assert overlap(evaluated.examples, ["repurchase", "popular"], Watching())[0]
