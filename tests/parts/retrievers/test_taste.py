"""Sales × leaning × nearness: worked out by hand, and in agreement with the columns."""

import random

import kit
import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.plans import TODAY
from hmgpu.parts.retrievers import taste
from hmgpu.parts.retrievers.taste import Taste

CPU = Engine("cpu", "tests")
KINDS = {article: {"department": article // 10} for article in (1, 2, 11, 12)} | {21: {"department": None}}


@pytest.fixture
def history(make_history):
    """Customer 0 leans to department 1; 2 and 12 sell twice as well as 1 and 11; 21 has no department."""
    bought = [(3, 0, 11), (2, 0, 12), (1, 0, 12), (2, 1, 2), (2, 2, 2), (3, 2, 1), (1, 3, 21), (2, 3, 12), (2, 3, 2)]
    return make_history(bought, articles=KINDS, customers={9: {}})


def test_a_score_is_sales_times_leaning_by_hand(history) -> None:
    part = kit.bound(Taste(calm=1e6, n=9), history, CPU)
    table = CPU.collect(
        part.retrieve(kit.learned(part, history, CPU), pl.LazyFrame({"customer": [0]}, {"customer": pl.Int32}))
    )
    scores = dict(table.select("article", "score").iter_rows())

    def sales(*days: int) -> float:
        return sum(round(0.5 ** (day / 4) * TODAY) / TODAY for day in days) + 0.5

    best = sales(2, 2, 2)  # article 2; 12 was bought on three days too, the last one a day later
    best = max(best, sales(2, 1, 2))
    # Four of the eight purchases with a department were in department 1, and so were all three by customer 0.
    leaning = {1: (3 + 0.25) / (1.5 + 0.25), 0: 0.25 / (1.5 + 0.25)}
    expected = {12: sales(2, 1, 2) * leaning[1], 11: sales(3) * leaning[1], 2: sales(2, 2, 2) * leaning[0]}
    expected[1] = sales(3) * leaning[0]
    assert scores == pytest.approx({article: value / best for article, value in expected.items()}, rel=0.01)


def test_a_newcomer_gets_best_sellers(history) -> None:
    assert kit.proposed(Taste(n=2), history, CPU, [9]) == {9: [12, 2]}


def test_the_columns_are_the_logarithms_of_the_score(history) -> None:
    part = kit.bound(Taste(n=9), history, CPU)
    asked = pl.LazyFrame({"customer": [0, 1, 9]}, {"customer": pl.Int32})
    table = CPU.collect(part.retrieve(kit.learned(part, history, CPU), asked))
    described = kit.described(Taste(), history, CPU, sorted(table.select("customer", "article").rows()))
    for customer, article, score in table.select("customer", "article", "score").iter_rows():
        assert described[customer, article]["taste"] == pytest.approx(
            float(pl.select(pl.lit(score).log()).item()), abs=1e-5
        )


def test_which_way_an_axis_points_changes_nothing_that_comes_out(make_history, monkeypatch) -> None:
    draw = random.Random(1)
    bought = [(draw.randrange(1, 90), draw.randrange(60), draw.choice([1, 2, 3, 11, 12, 13])) for _ in range(600)]
    history = make_history(bought, articles={n: {"department": n // 10} for n in (1, 2, 3, 11, 12, 13)})
    part, customers = Taste(n=9, dimensions=2, calm=1.0), range(60)
    pairs = [(customer, article) for customer in customers for article in (1, 2, 3, 11, 12, 13)]
    proposed, described = kit.proposed(part, history, CPU, [*customers]), kit.described(part, history, CPU, pairs)

    def usual() -> pl.DataFrame:
        return CPU.collect(kit.learned(kit.bound(part, history, CPU), history, CPU)["usual"].sort("week", "category"))

    before = usual()
    assert len({columns["taste_within"] for columns in described.values()}) > 50
    found = taste.coordinates

    def turned(*given: object) -> pl.DataFrame:
        return found(*given).with_columns(-pl.col("x000"))

    monkeypatch.setattr(taste, "coordinates", turned)
    assert usual().equals(before.with_columns(-pl.col("x000")))
    assert kit.proposed(part, history, CPU, [*customers]) == proposed
    assert kit.described(part, history, CPU, pairs) == described


def test_what_has_no_category_or_is_not_sold_any_more_is_described_but_not_retrieved(make_history) -> None:
    bought = [(40, 0, 1), (2, 0, 2), (2, 1, 12), (1, 1, 21)]
    history = make_history(bought, articles=KINDS)
    assert sorted(kit.proposed(Taste(n=9), history, CPU, [0])[0]) == [2, 12]
    described = kit.described(Taste(), history, CPU, [(0, 1), (0, 2), (0, 21)])
    assert set(described[0, 21].values()) == {None}
    assert described[0, 1]["taste"] < described[0, 2]["taste"]
    assert described[0, 1]["taste_leaning"] == described[0, 2]["taste_leaning"] > 0
