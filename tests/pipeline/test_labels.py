"""What was bought of the candidates, and what a ranker is shown beside it."""

from typing import Any

import polars as pl
from conftest import CUTOFF

from hmgpu.core.engine import Engine
from hmgpu.parts.examples import KEYS
from hmgpu.parts.negatives.on_sale import OnSale
from hmgpu.parts.negatives.recalled import Recalled
from hmgpu.pipeline.labels import labelled, taught

CPU = Engine("cpu", "tests")
PAIR = {"customer": pl.Int32, "article": pl.Int32}
SOLD = {"day": pl.Int32, **PAIR}


def pairs(*rows: tuple[int, int]) -> pl.LazyFrame:
    return pl.LazyFrame(list(rows), schema=PAIR, orient="row")


def test_candidates_keep_their_order_and_columns_and_get_a_label() -> None:
    candidates = pairs((2, 5), (1, 9), (1, 5)).with_columns(rank=pl.Series([3, 2, 1], dtype=pl.Int32))
    # Customer 1 bought article 9, and 7, which was no candidate; article 5 was bought by another.
    found = CPU.collect(labelled(candidates, pairs((1, 9), (1, 7), (3, 5))))
    assert found.schema == {**PAIR, "rank": pl.Int32, "label": pl.Int8}
    assert found.rows() == [(2, 5, 3, 0), (1, 9, 2, 1), (1, 5, 1, 0)]


def test_teaching_pairs_are_the_bought_candidates_and_others_that_were_not_bought(make_history: Any) -> None:
    history = make_history([(2, 9, article) for article in range(1, 6)])
    sold = pl.LazyFrame([(CUTOFF, 1, 1), (CUTOFF, 1, 4), (CUTOFF + 1, 1, 1), (CUTOFF, 2, 9)], schema=SOLD, orient="row")
    candidates = pairs((1, 1), (1, 2), (1, 3), (2, 1), (3, 1))
    ways = [Recalled(n=None), OnSale(n=40)]
    rows = CPU.collect(taught(candidates, sold, history, ways, 1).sort(KEYS)).rows()
    # 4 was bought but is no candidate, so it is no negative; customers 2 and 3 bought no candidate.
    assert rows == [(1, 1), (1, 2), (1, 3), (1, 5)]
