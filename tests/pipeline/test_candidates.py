"""All retrievers' candidates in one table, and the order in which the methods without a model list them."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from hmgpu.core.engine import Engine
from hmgpu.parts.candidates import merged_order
from hmgpu.pipeline.candidates import merge

CPU = Engine("cpu", "tests")
SCHEMA = {"customer": pl.Int32, "article": pl.Int32, "score": pl.Int64, "rank": pl.Int32}


def proposal(*rows: tuple[int, int, int, int]) -> pl.LazyFrame:
    return pl.LazyFrame(list(rows), schema=SCHEMA, orient="row")


def test_each_pair_once_with_who_proposed_it_and_how_highly():
    merged = merge(
        {
            "own": proposal((1, 10, 900, 1), (1, 11, 500, 2)),
            "popular": proposal((1, 11, 70, 1), (2, 11, 70, 1), (1, 12, 60, 2)),
        }
    )
    assert CPU.collect(merged.sort("customer", "article")).to_dicts() == [
        {"customer": 1, "article": 10}
        | {"own_score": 900, "own_rank": 1, "popular_score": None, "popular_rank": None}
        | {"retrievers": 1, "best_rank": 1},
        {"customer": 1, "article": 11}
        | {"own_score": 500, "own_rank": 2, "popular_score": 70, "popular_rank": 1}
        | {"retrievers": 2, "best_rank": 1},
        {"customer": 1, "article": 12}
        | {"own_score": None, "own_rank": None, "popular_score": 60, "popular_rank": 2}
        | {"retrievers": 1, "best_rank": 2},
        {"customer": 2, "article": 11}
        | {"own_score": None, "own_rank": None, "popular_score": 70, "popular_rank": 1}
        | {"retrievers": 1, "best_rank": 1},
    ]


def test_columns_and_types_are_the_same_when_a_retriever_proposes_nothing():
    full = merge({"own": proposal((1, 10, 9, 1)), "popular": proposal((1, 11, 7, 1))})
    none = merge({"own": proposal(), "popular": proposal((1, 11, 7, 1))})
    assert full.collect_schema() == none.collect_schema()
    assert CPU.collect(none).height == 1
    assert CPU.collect(merge({"own": proposal(), "popular": proposal()})).schema == full.collect_schema()


def test_scores_of_any_number_type_merge():
    floats = proposal((1, 10, 9, 1)).cast({"score": pl.Float64, "rank": pl.UInt32})
    merged = CPU.collect(merge({"own": proposal((1, 10, 3, 1)), "vectors": floats}))
    assert merged["vectors_score"].to_list() == [9.0]
    assert merged.schema["vectors_rank"] == merged.schema["own_rank"] == pl.Int32


ranks = st.dictionaries(st.integers(1, 20), st.integers(1, 60), max_size=10)


@settings(max_examples=50, deadline=None)
@given(first=ranks, second=ranks, third=ranks)
def test_the_order_is_all_of_the_first_then_the_rest_of_the_second(first, second, third):
    retrieved = {"a": first, "b": second, "c": third}
    tables = {name: proposal(*((1, a, 0, rank) for a, rank in found.items())) for name, found in retrieved.items()}
    scored = merge(tables).with_columns(order=merged_order(["b", "a"])).select("article", "order", "b_rank", "a_rank")
    found = CPU.collect(scored.drop_nulls("order").sort("order", descending=True))
    ranked = found.select(pl.coalesce("b_rank", "a_rank")).to_series().to_list()
    of_second = len(second)
    assert set(found["article"][:of_second]) == set(second)
    assert set(found["article"][of_second:]) == set(first) - set(second)
    assert ranked[:of_second] == sorted(ranked[:of_second])
    assert ranked[of_second:] == sorted(ranked[of_second:])


def test_no_retrievers_no_order():
    table = merge({"a": proposal((1, 10, 9, 1), (1, 11, 8, 2))}).with_columns(order=merged_order([]))
    assert CPU.collect(table)["order"].to_list() == [None, None]
