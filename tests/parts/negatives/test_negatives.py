"""What every way of drawing negatives must keep, found by listing the folder; and each by hand."""

from collections import Counter
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from conftest import CUTOFF
from pydantic import ValidationError

from hmgpu.core.engine import Engine
from hmgpu.data.store import History
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.negative_sampler import NegativeSampler, TrainingWeek, draw_negatives
from hmgpu.parts.negatives.bought_by_others import BoughtByOthers
from hmgpu.parts.negatives.on_sale import OnSale
from hmgpu.parts.negatives.recalled import Recalled
from hmgpu.parts.negatives.same_category import SameCategory
from hmgpu.parts.negatives.worst_sellers import WorstSellers
from hmgpu.parts.part import kinds
from hmgpu.testing import NegativeSamplerContract

CPU = Engine("cpu", "tests")
SAMPLERS: dict[str, NegativeSampler] = {kind: part() for kind, part in kinds(NegativeSampler).items()}
SAMPLERS |= {"recalled-positive": Recalled(n=2, a="positive"), "recalled-all": Recalled(n=None)}
SAMPLERS |= {"on_sale-sale": OnSale(by="sale"), "others-department": BoughtByOthers(by="department")}
PAIR = {"customer": pl.Int32, "article": pl.Int32}
SOLD = {"day": pl.Int32, **PAIR}


def pairs(*rows: tuple[int, int]) -> pl.LazyFrame:
    return pl.LazyFrame(list(rows), schema=PAIR, orient="row")


def teaching(history: History, recalled: Any, bought: Any, sold: Any = (), seed: int = 1) -> TrainingWeek:
    rows = pl.LazyFrame([(CUTOFF + after, c, a) for after, c, a in sold], schema=SOLD, orient="row")
    return TrainingWeek(pairs(*recalled), pairs(*bought), rows, history, seed)


def drew(sampler: NegativeSampler, week: TrainingWeek) -> dict[int, list[int]]:
    found = CPU.collect(sampler.draw(week).select(KEYS).unique().sort(KEYS))
    return {customer: rows["article"].to_list() for (customer,), rows in found.group_by("customer")}


@pytest.mark.parametrize("part", SAMPLERS.values(), ids=SAMPLERS.keys())
class TestEverySampler(NegativeSamplerContract):
    def test_draws_depend_on_the_seed(self, part: NegativeSampler, week: TrainingWeek) -> None:
        everybody, another = (drew(part, asked) for asked in (week, replace(week, seed=week.seed + 1)))
        assert another != everybody or part == Recalled(n=None)


def test_a_draw_is_as_likely_for_every_row_of_a_group() -> None:
    asked = pl.LazyFrame(
        {"customer": [1, 2] * 3000, "turn": range(6000), "group": [1, 2] * 3000},
        schema={"customer": pl.Int32, "turn": pl.Int32, "group": pl.Int32},
    )
    pool = pl.LazyFrame({"group": [1, 1, 1, 2, 2], "article": [7, 7, 8, 9, 10]}, schema_overrides={"group": pl.Int32})
    counts = Counter(CPU.collect(draw_negatives(asked, pool, "group", 3)).select("group", "article").rows())
    assert set(counts) == {(1, 7), (1, 8), (2, 9), (2, 10)}
    assert counts[1, 7] == pytest.approx(2000, rel=0.08)
    assert counts[2, 9] == pytest.approx(1500, rel=0.08)


def test_recalled_counts_a_customer_or_a_purchase(make_history: Any) -> None:
    history = make_history([(1, 1, 1)])
    recalled = [(customer, article) for customer in (1, 2) for article in range(10, 30)]
    week = teaching(history, recalled, [(1, 1), (2, 2), (2, 3)])
    assert {c: len(articles) for c, articles in drew(Recalled(n=3), week).items()} == {1: 3, 2: 3}
    assert {c: len(articles) for c, articles in drew(Recalled(n=3, a="positive"), week).items()} == {1: 3, 2: 6}
    assert drew(Recalled(n=None), week) == {1: list(range(10, 30)), 2: list(range(10, 30))}


def test_on_sale_draws_by_article_or_by_sale(make_history: Any) -> None:
    history = make_history([(2, 9, 5)] * 30 + [(3, 9, 6), (40, 9, 7)])
    bought = [(customer, 1) for customer in range(400)]
    by_article, by_sale = (
        Counter(CPU.collect(OnSale(n=1, by=by).draw(teaching(history, [], bought)))["article"])
        for by in ("article", "sale")
    )
    assert set(by_article) == {5, 6}
    assert by_article[6] == pytest.approx(200, rel=0.2)
    assert by_sale[6] == pytest.approx(400 / 31, abs=12)


def test_worst_sellers_are_those_that_sold_least(make_history: Any) -> None:
    sales = [(3, 9, article) for article in range(10) for _ in range(20 - 2 * article)]
    week = teaching(make_history(sales), [], [(1, 0), (2, 0)])
    assert set().union(*drew(WorstSellers(n=20, share=0.2), week).values()) == {8, 9}
    assert set().union(*drew(WorstSellers(n=5, share=0.001), week).values()) == {9}


def test_same_category_has_what_was_bought_in_common(make_history: Any) -> None:
    types = {article: {"product_type": article % 3} for article in range(30)} | {30: {}}
    history = make_history([(5, 9, article) for article in range(31)], articles=types)
    found = drew(SameCategory(n=6), teaching(history, [], [(1, 4), (2, 5), (2, 6), (3, 30)]))
    assert {article % 3 for article in found[1]} == {1}
    assert {article % 3 for article in found[2]} == {2, 0}
    assert 3 not in found


def test_bought_by_others_that_day_in_the_customers_own_proportions(make_history: Any) -> None:
    types = {article: {"product_type": article // 10} for article in range(30)}
    own = [(9, 1, 1), (9, 1, 2), (9, 1, 3), (9, 1, 11)]
    history = make_history([*own, *((20, 8, article) for article in range(30))], articles=types)
    others = [(0, 5, 4), (0, 6, 14), (0, 7, 24), (1, 5, 5)]
    sold = [(0, customer, 2) for customer in range(1, 2)] + others
    found = CPU.collect(BoughtByOthers(n=400).draw(teaching(history, [], [(1, 2)], sold)))["article"]
    counts = Counter(found.to_list())
    # Nothing of the next day, nothing of a type that he never bought; one in four of his articles is of type 1.
    assert set(counts) == {2, 4, 14}
    assert counts[14] == pytest.approx(100, rel=0.25)


@pytest.mark.parametrize("kind", [SameCategory, BoughtByOthers])
def test_a_category_is_a_code_of_articles(kind: type[NegativeSampler]) -> None:
    with pytest.raises(ValidationError, match="'colr' is not a category of articles; choose from product,"):
        kind(by="colr")
    assert kind(by="colour").needs() == {"colour"}
