"""What retrievers find, on a week worked by hand, and against the plain definition of recall."""

import polars as pl
import pytest

from hmgpu.core.printed import as_text
from hmgpu.evaluation.retrievers import _in_order, by_retriever, count_by_rank
from hmgpu.evaluation.tables import candidates_table
from hmgpu.pipeline.candidates import merge

PAIRS = {"customer": pl.Int32, "article": pl.Int32}
SCHEMA = PAIRS | {"score": pl.Int64, "rank": pl.Int32}
SEGMENTS = pl.DataFrame(
    [(1, "active"), (2, "active"), (3, "new")], schema={"customer": pl.Int32, "segment": pl.String}, orient="row"
)
# 1 buys 10, 21 and 99, which nobody proposes; 2 buys 21; 3 buys 23.
LABELS = pl.DataFrame(
    [(1, 10, "older"), (1, 21, "under 4 weeks"), (1, 99, "never sold"), (2, 21, "under 4 weeks"), (3, 23, "older")],
    schema=PAIRS | {"age": pl.String},
    orient="row",
)
# `top` proposes 20 to 24 to all; `again` only knows the first two customers.
TOP = [(customer, 20 + place, 9 - place, 1 + place) for customer in (1, 2, 3) for place in range(5)]
AGAIN = [(1, 10, 5, 1), (1, 21, 4, 2), (2, 24, 5, 1)]


def candidates(engine, **rows: list[tuple[int, int, int, int]]) -> pl.DataFrame:
    frames = {name: pl.LazyFrame(table, schema=SCHEMA, orient="row") for name, table in rows.items()}
    return engine.collect(merge(frames))


def figures(engine, tables: list[pl.DataFrame], retrievers: list[str], labels=LABELS, members=SEGMENTS) -> dict:
    counts = [count_by_rank(table, retrievers, labels, members, engine) for table in tables]
    return by_retriever(pl.concat(counts), retrievers, labels, members)


@pytest.fixture
def found(engine):
    return figures(engine, [candidates(engine, top=TOP, again=AGAIN)], ["top", "again"])


def test_all_and_each_by_hand(found):
    assert list(found) == ["top", "again", "merged"]
    top, again, merged = found.values()
    # `top` has (1, 21), (2, 21), (3, 23) of five; `again` has (1, 10), (1, 21).
    assert (top["recall"], top["positive_rate"], top["candidates"]) == (3 / 5, 3 / 15, 15)
    assert (again["recall"], again["positive_rate"], again["candidates"]) == (2 / 5, 2 / 3, 3)
    assert (merged["recall"], merged["positive_rate"], merged["candidates"]) == (4 / 5, 4 / 16, 16)
    assert again["candidates_a_customer"] == 1
    assert merged["recall_at_500"] == merged["recall_at_12"] == merged["recall"]


def test_segments_by_hand(found):
    top, again, merged = (figures["segments"] for figures in found.values())
    assert (top["active"]["recall"], top["new"]["recall"]) == (2 / 4, 1)
    assert (again["active"]["recall"], again["active"]["candidates_a_customer"]) == (2 / 4, 3 / 2)
    assert (merged["active"]["recall_at_100"], merged["active"]["positive_rate"]) == (3 / 4, 3 / 11)
    # Who gets no candidates counts all the same.
    nothing = {"recall": 0, "positive_rate": 0, "candidates": 0, "candidates_a_customer": 0}
    assert again["new"] == nothing | {f"recall_at_{k}": 0 for k in (12, 100, 200, 500)}


def test_ages_by_hand(found):
    top, again, merged = (figures["ages"] for figures in found.values())
    assert list(top) == ["never sold", "under 4 weeks", "older"]
    assert [figures["recall"] for figures in top.values()] == [0, 1, 1 / 2]
    assert [figures["recall"] for figures in again.values()] == [0, 1 / 2, 1 / 2]
    assert [figures["recall_at_12"] for figures in merged.values()] == [0, 1, 1]


def test_ranks_by_hand(found):
    # Of `top` 21 is second, twice, and 23 fourth.
    assert found["top"]["ranks"] == {
        "1-3": {"candidates": 9, "recall": 2 / 5, "positive_rate": 2 / 9},
        "4-12": {"candidates": 6, "recall": 1 / 5, "positive_rate": 1 / 6},
    }
    assert list(found["again"]["ranks"]) == ["1-3"]


def test_merged_ranks_are_in_order_by_hand(engine):
    """1/61 + 1/63 for 40 is more than 1/61 for 20 and 50, of which the smaller goes first; 30 has 1/62."""
    table = candidates(
        engine,
        first=[(1, 50, 0, 1), (1, 30, 0, 2), (1, 40, 0, 3)],
        second=[(1, 20, 0, 1)],
        third=[(1, 40, 0, 1)],
    )
    assert fused(engine, table, ["first", "second", "third"]) == [40, 20, 50, 30]
    assert fused(engine, table, ["third", "second", "first"]) == [40, 20, 50, 30]


def test_recall_at_k_is_of_the_first_k_of_the_merged(engine):
    # Retrievers that share nothing take turns: 1, 1001, 2, 1002, …
    apart = {"one": range(1, 400), "two": range(1001, 1400)}
    table = candidates(engine, **{n: [(1, a, 0, rank) for rank, a in enumerate(of, 1)] for n, of in apart.items()})
    for k in (12, 100, 200, 500):
        for article, within in ((1000 + k // 2, 1), (1 + k // 2, 0)):
            bought = pl.DataFrame([(1, article, "older")], schema=LABELS.schema, orient="row")
            merged = figures(engine, [table], list(apart), bought, SEGMENTS.head(1))["merged"]
            assert merged[f"recall_at_{k}"] == within


def fused(engine, table: pl.DataFrame, retrievers: list[str]) -> list[int]:
    return engine.collect(_in_order(table, retrievers))["article"].to_list()


def test_with_quotas_candidates_are_in_the_order_of_their_worth(engine):
    table = candidates(engine, first=[(1, 50, 0, 1), (1, 30, 0, 2), (1, 40, 0, 3)])
    worth = table.with_columns(worth=pl.Series([7, 9, 9]))
    assert table["article"].to_list() == [30, 40, 50]
    assert engine.collect(_in_order(worth, ["first"]))["article"].to_list() == [40, 50, 30]


def test_the_order_of_retrievers_decides_nothing(engine, found):
    assert figures(engine, [candidates(engine, again=AGAIN, top=TOP)], ["again", "top"]) == found


def test_candidates_of_some_customers_at_a_time_have_the_figures_of_all_together(engine, found):
    table = candidates(engine, top=TOP, again=AGAIN)
    some = [table.filter(pl.col("customer") == customer) for customer in (3, 1, 2)]  # `again` knows nothing of 3
    assert figures(engine, some, ["top", "again"]) == found


def test_the_fusion_translates_to_cudf(engine, untranslated):
    table = candidates(engine, top=TOP, again=AGAIN)
    assert untranslated(_in_order(table, ["top", "again"])) == []


def test_every_segment_has_its_line(found):
    lines = [line.split() for line in as_text([candidates_table({"retrievers": found})], 120).splitlines()]
    assert ["active", "5.5", "0.7500", "0.7500", "0.7500", "0.7500", "0.7500", "0.2727"] in lines
    assert ["new", "5.0"] in [line[:2] for line in lines]
