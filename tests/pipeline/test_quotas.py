"""What a retriever's proposals are worth: counted, falling with the rank, and kept by it."""

import polars as pl
import pytest
from conftest import CUTOFF
from hypothesis import given
from hypothesis import strategies as st

from hmgpu.core.engine import Engine
from hmgpu.data.segments import SEGMENTS, segments
from hmgpu.parts.candidates import WORTH_ONE
from hmgpu.pipeline.candidates import merge
from hmgpu.pipeline.quotas import COUNTS, PRIOR, best_by_worth, count_proposals, rates

CPU = Engine("cpu", "tests")
PAIR = {"customer": pl.Int32, "article": pl.Int32}
RETRIEVED = PAIR | {"score": pl.Int64, "rank": pl.Int32}
MEMBERS = pl.LazyFrame({"customer": [1, 2, 3], "segment": [0, 0, 2]}, {"customer": pl.Int32, "segment": pl.Int8})


def proposal(*rows: tuple[int, int, int]) -> pl.LazyFrame:
    """(customer, article, rank)."""
    return pl.LazyFrame([(c, a, 100 - r, r) for c, a, r in rows], schema=RETRIEVED, orient="row")


def test_segments_by_the_last_purchase(make_history) -> None:
    history = make_history([(1, 1, 5), (28, 2, 5), (29, 3, 5), (400, 1, 6)])
    asked = pl.LazyFrame({"customer": [1, 2, 3, 4]}, schema={"customer": pl.Int32})
    found = CPU.collect(segments(history, asked).sort("customer"))["segment"].to_list()
    assert [SEGMENTS[place] for place in found] == ["active", "active", "lapsed", "new"]
    assert history.cutoff == CUTOFF


def test_proposals_are_counted_by_segment_retriever_and_rank(untranslated) -> None:
    retrieved = {"own": proposal((1, 10, 1), (1, 11, 2), (2, 10, 1)), "sold": proposal((1, 10, 1), (3, 10, 1))}
    bought = pl.LazyFrame([(1, 10), (1, 11), (3, 99)], schema=PAIR, orient="row")
    plan = count_proposals(retrieved, MEMBERS, bought)
    rows = CPU.collect(plan.sort(pl.all())).rows()
    assert rows == [(0, "own", 1, 2, 1), (0, "own", 2, 1, 1), (0, "sold", 1, 1, 1), (2, "sold", 1, 1, 0)]
    assert untranslated(plan) == []


def test_a_rate_is_the_bought_share_with_a_hundred_proposals_at_the_retrievers_mean() -> None:
    counts = pl.DataFrame([(0, "own", 1, 300, 30), (0, "own", 2, 100, 2)], schema=COUNTS, orient="row")
    table = rates(counts, {"own": 3})
    mean = 32 / 400
    expected = [(30 + PRIOR * mean) / 400, (2 + PRIOR * mean) / 200]
    active = table.filter(pl.col("segment") == 0)["worth"].to_list()
    # At rank 3 nothing was shown: the mean would be more than rank 2 is worth, so the two are pooled.
    pooled = (200 * expected[1] + 100 * mean) / 300
    assert active == pytest.approx([round(expected[0] * WORTH_ONE), pooled * WORTH_ONE, pooled * WORTH_ONE], abs=2)
    assert table.filter(pl.col("segment") == 2)["worth"].to_list() == [round(mean * WORTH_ONE)] * 3


@given(
    counts=st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 9), st.integers(1, 500), st.floats(0, 1)), min_size=1, max_size=30
    )
)
def test_rates_never_rise_with_the_rank(counts) -> None:
    rows = [(segment, "own", rank, shown, int(shown * share)) for segment, rank, shown, share in counts]
    table = rates(pl.DataFrame(rows, schema=COUNTS, orient="row"), {"own": 9, "silent": 4})
    assert table.height == 3 * (9 + 4)
    for _, group in table.group_by("segment", "retriever"):
        worth = group.sort("rank")["worth"]
        assert (worth.diff().drop_nulls() <= 0).all()
        assert worth.is_between(0, WORTH_ONE).all()


def test_ranks_below_the_threshold_are_dropped_and_none_at_zero() -> None:
    counts = pl.DataFrame(
        [(0, "own", 1, 10_000, 1_000), (0, "own", 2, 10_000, 10), (2, "own", 1, 10_000, 0)], schema=COUNTS, orient="row"
    )
    everything, some = rates(counts, {"own": 2}), rates(counts, {"own": 2}, least=0.02)
    assert everything.height == 6
    assert rates(counts, {"own": 2}, least=0.0).equals(everything)
    assert some.equals(everything.filter(pl.col("worth") >= round(0.02 * WORTH_ONE)))
    assert {(0, 1), (1, 1)} <= set(some.select("segment", "rank").rows())  # of segment 1 nothing is known but the mean
    assert not {(0, 2), (2, 1)} & set(some.select("segment", "rank").rows())
    # Customer 3, of segment 2, is left with no candidate; customer 1 keeps one of two.
    kept = best_by_worth({"own": proposal((1, 10, 1), (1, 11, 2), (3, 10, 1))}, some.lazy(), MEMBERS, keep=5)
    assert CPU.collect(kept).select("customer", "article").rows() == [(1, 10)]


def test_each_customer_keeps_what_is_worth_most(untranslated) -> None:
    worth = {("own", 0, 1): 50, ("own", 0, 2): 9, ("sold", 0, 1): 20, ("sold", 0, 2): 20, ("sold", 2, 1): 1}
    worth |= {("own", 2, 1): 0, ("own", 2, 2): 0, ("sold", 2, 2): 1}
    table = pl.LazyFrame(
        [(segment, name, rank, value) for (name, segment, rank), value in worth.items()],
        schema={"segment": pl.Int8, "retriever": pl.String, "rank": pl.Int32, "worth": pl.Int64},
        orient="row",
    )
    retrieved = {
        "own": proposal((1, 10, 1), (1, 11, 2), (2, 12, 2)),
        "sold": proposal((1, 11, 2), (1, 13, 1), (2, 13, 1), (3, 14, 2), (3, 13, 1)),
    }
    plan = merge(retrieved, best_by_worth(retrieved, table, MEMBERS, keep=2))
    kept = CPU.collect(plan)
    # Of 11 and 13, both worth 20, a retriever ranks 13 first; customer 3 has two, of which all are kept.
    assert kept.select("customer", "article", "worth").rows() == [
        *((1, 10, 50), (1, 13, 20)),
        *((2, 12, 9), (2, 13, 20)),
        *((3, 13, 1), (3, 14, 1)),
    ]
    assert kept.filter(pl.col("article") == 13)["own_rank"].to_list() == [None] * 3
    assert untranslated(plan) == []
    everything = CPU.collect(merge(retrieved))
    assert everything.height == 7
    assert "worth" not in everything.columns
