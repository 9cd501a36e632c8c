"""Building blocks of plans: exact sums, ranks within groups, scattered draws."""

import itertools
import math
import random
import statistics

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hmgpu.core.engine import Engine
from hmgpu.core.plans import ONE, TODAY, decayed, fixed_point, mean_and_deviation, ranked, sample, scattered, top_n

CPU = Engine("cpu", "tests")

rows_of = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 30), st.integers(-3, 3)),
    max_size=40,
    unique_by=lambda row: row[:2],
)


def frame(rows: list[tuple[int, int, int]]) -> pl.LazyFrame:
    """Rows as a plan (customer, article, score)."""
    schema = {"customer": pl.Int32, "article": pl.Int32, "score": pl.Int64}
    return pl.LazyFrame(rows, schema=schema, orient="row")


def numbered(rows: list[tuple[int, int, int]]) -> set[tuple[int, int, int]]:
    """(customer, article, rank), by sorting each customer's rows in Python."""
    found = set()
    for customer in {row[0] for row in rows}:
        own = sorted((row for row in rows if row[0] == customer), key=lambda row: (-row[2], row[1]))
        found |= {(customer, article, place) for place, (_, article, _) in enumerate(own, 1)}
    return found


@settings(max_examples=60, deadline=None)
@given(rows=rows_of, n=st.integers(1, 6), seed=st.integers(0, 99))
def test_ranks_are_those_of_a_sort_whatever_the_order_of_rows(rows, n, seed):
    shuffled = random.Random(seed).sample(rows, len(rows))
    everything = CPU.collect(ranked(frame(shuffled), by="customer"))
    assert everything.schema["rank"] == pl.Int32
    assert set(everything.select("customer", "article", "rank").rows()) == numbered(rows)
    best = CPU.collect(top_n(frame(shuffled), n, by="customer"))
    assert set(best.select("customer", "article", "rank").rows()) == {row for row in numbered(rows) if row[2] <= n}


def test_groups_may_have_several_keys_and_ties_another_column():
    table = pl.LazyFrame({"week": [1, 1, 1, 2], "customer": [5, 5, 6, 5], "tag": [9, 8, 7, 7], "weight": [3, 3, 1, 1]})
    best = CPU.collect(top_n(table, 1, by=["week", "customer"], score="weight", tie="tag").sort("week", "customer"))
    assert best.select("week", "customer", "tag", "rank").rows() == [(1, 5, 8, 1), (1, 6, 7, 1), (2, 5, 7, 1)]


def test_a_weight_is_a_whole_multiple_of_two_to_the_minus_twenty():
    found = CPU.collect(pl.LazyFrame({"w": [0.0, 1.0, 0.5, 2.0**-20, 2.0**-22, 3.0]}).select(fixed_point(pl.col("w"))))
    assert found["w"].to_list() == [0, ONE, ONE // 2, 1, 0, 3 * ONE]
    assert found["w"].dtype == pl.Int64


def weights(ages: range | list[int], *settings: float, **more: int) -> list[int]:
    """What purchases of these ages weigh."""
    days = pl.LazyFrame({"day": [18_500 - age for age in ages]}, schema={"day": pl.Int32})
    return CPU.collect(days.select(w=decayed(18_500, *settings, **more)))["w"].to_list()


def test_a_decayed_weight_halves_every_half_life_and_then_falls_by_a_step_a_day():
    assert weights([0, 7, 14, 70, 140, 699, 700], 7.0, 700) == [
        TODAY,
        TODAY // 2,
        TODAY // 4,
        TODAY // 1024,
        2048,
        2,
        1,
    ]
    assert weights([0, 7, 14, 140, 700], 7.0, 700, one=ONE) == [ONE, ONE // 2, ONE // 4, 561, 1]
    assert weights([0, 7, 700, 18_500], 7.0) == [TODAY, TODAY // 2, 18_500 - 699, 1]
    assert weights([0, 20], math.inf, 20) == [TODAY, TODAY]


@settings(max_examples=60, deadline=None)
@example(half_life=500.0, days=278, one=1 << 10)
@example(half_life=1e7, days=730, one=ONE)
@given(half_life=st.floats(0.01, 1e9), days=st.integers(1, 18_500), one=st.sampled_from([TODAY, ONE, 1 << 10]))
def test_the_later_of_two_days_always_weighs_more(half_life, days, one):
    found = weights(range(1, days + 1), half_life, days, one=one)
    assert all(newer > older for newer, older in itertools.pairwise(found))
    assert found[-1] >= 1
    # What keeps a sum over fewer than 2^31 rows below 2^63.
    assert found[0] < one + 2**16 <= 2**31 + 2**16 < 2**63 // 2**31


def deviation_of(values: list[int]) -> tuple[float, float]:
    table = pl.LazyFrame({"customer": 7, "price": values}, schema={"customer": pl.Int32, "price": pl.Int32})
    return CPU.collect(mean_and_deviation(table, "customer", "price")).row(0)[1:]


LARGE = st.one_of(st.integers(0, 2**31 - 1), st.integers(0, 3), st.sampled_from([0, 2**16, 2**31 - 1]))


@settings(max_examples=80, deadline=None)
@given(values=st.lists(LARGE, min_size=1, max_size=20), times=st.sampled_from([1, 40]), base=st.integers(0, 2**31 - 4))
def test_mean_and_deviation_are_exact_for_every_legal_price(values, times, base):
    for some in (values * times, [base + value % 4 for value in values]):
        mean, deviation = deviation_of(some)
        assert mean == sum(some) / len(some)
        assert deviation == pytest.approx(statistics.pstdev(some), rel=1e-12)


def test_deviation_of_many_large_prices():
    assert deviation_of([10**7, 10**7 + 230] * 200)[1] == 115
    assert deviation_of([0, 2**31 - 1] * 5000)[1] == (2**31 - 1) / 2
    assert deviation_of([2**31 - 1] * 5000)[1] == 0


def test_deviations_of_groups_translate(untranslated):
    table = pl.LazyFrame({"customer": [1, 2, 1], "price": [10, 5, 30]}, schema_overrides={"price": pl.Int32})
    plan = mean_and_deviation(table, "customer", "price").sort("customer")
    assert CPU.collect(plan).rows() == [(1, 20.0, 10.0), (2, 5.0, 0.0)]
    assert untranslated(plan) == []


def highest(customers: int, articles: int, kept: int, seed: int) -> dict[int, set[int]]:
    """The articles with each customer's highest draws."""
    pairs = pl.LazyFrame({"customer": range(customers)}).join(pl.LazyFrame({"article": range(articles)}), how="cross")
    pairs = pairs.cast({"customer": pl.Int32, "article": pl.Int32})
    best = top_n(pairs.with_columns(draw=scattered(("customer", "article"), seed)), kept, by="customer", score="draw")
    table = CPU.collect(best).group_by("customer").agg("article")
    return {customer: set(chosen) for customer, chosen in table.rows()}


def test_a_draw_depends_on_keys_and_seed_alone():
    keys = pl.DataFrame({"customer": [3, 1, 2**31 - 1], "article": [1, 3, 2**31 - 1], "other": [5, 6, 7]})
    draw = scattered(("customer", "article"), 42).alias("draw")
    found = CPU.collect(keys.lazy().select("customer", draw))
    turned = CPU.collect(keys.lazy().reverse().with_columns(other=0).select("customer", draw))
    assert found.sort("customer").equals(turned.sort("customer"))
    assert found["draw"].n_unique() == 3
    assert found["draw"].min() >= 0
    assert not found.equals(CPU.collect(keys.lazy().select("customer", draw=scattered(("customer", "article"), 43))))


def test_draws_favour_no_article_and_differ_between_neighbours_and_seeds():
    customers, articles, kept = 1500, 40, 10
    chosen = highest(customers, articles, kept, seed=42)
    # An article is drawn for a quarter of the customers: 375, with a standard deviation of 16.8; six of them are 100.
    counts = [sum(article in of for of in chosen.values()) for article in range(articles)]
    assert all(275 < count < 475 for count in counts)
    # Two independent draws of 10 of 40 share 2.5 on average, with a standard error of 0.03 over 1,499 pairs.
    shared = sum(len(chosen[c] & chosen[c + 1]) for c in range(customers - 1)) / (customers - 1)
    assert 2.3 < shared < 2.7
    again = highest(customers, articles, kept, seed=43)
    assert 2.3 < sum(len(chosen[c] & again[c]) for c in range(customers)) / customers < 2.7


def test_a_draw_is_the_seeds_and_of_everybody_once(untranslated):
    everybody = pl.DataFrame({"customer": range(100)}, schema={"customer": pl.Int32})
    ten, again, other = (
        sample(frame, 10, seed) for frame, seed in ((everybody, 1), (everybody.reverse(), 1), (everybody, 2))
    )
    assert ten.equals(again)
    assert not ten.equals(other)
    assert ten["customer"].n_unique() == ten.height == 10
    assert ten.equals(sample(everybody, 20, 1).head(10))
    assert sample(everybody, None, 1).equals(everybody)
    assert sample(everybody, 200, 1).sort("customer").equals(everybody)
    plan = sample(everybody.lazy(), 10, 1)
    assert CPU.collect(plan).equals(ten)
    assert untranslated(plan) == []
