"""The two lists that every evaluation is measured against: worked by hand, and moved by nothing but their length."""

import json
from pathlib import Path

import polars as pl
import pytest
from kit import small_settings

from hmgpu.core.engine import Engine
from hmgpu.core.metrics import map_at
from hmgpu.core.plans import top_n
from hmgpu.data.store import Store
from hmgpu.pipeline.baselines import baseline_lists
from hmgpu.pipeline.config import load_config
from hmgpu.pipeline.open import open_pipeline

CPU = Engine("cpu", "tests")
# Days ago, customer, article. In the last seven days: 20 three times, 21 and 22 twice, 23 once; 24 a day too early.
SOLD = [
    *[(1, 9, 20)] * 3,
    *[(7, 8, 21), (2, 9, 21), (3, 8, 22), (3, 9, 22), (7, 9, 23)],
    *[(8, 9, 24)] * 9,
    *[(40, 1, 11), (40, 1, 10), (9, 1, 12), (300, 1, 12), (60, 1, 20), (500, 2, 13)],
]


@pytest.fixture
def lists(make_history):
    """Return the articles of a customer's list, by baseline."""

    def found(customer: int, k: int) -> dict[str, list[int]]:
        asked = pl.LazyFrame({"customer": [1, 2, 3]}, schema={"customer": pl.Int32})
        plans = baseline_lists(make_history(SOLD), asked, k)
        tables = {name: CPU.collect(plan.sort("customer", "rank")) for name, plan in plans.items()}
        own = {name: table.filter(pl.col("customer") == customer) for name, table in tables.items()}
        assert all(table["rank"].to_list() == list(range(1, table.height + 1)) for table in own.values())
        return {name: table["article"].to_list() for name, table in own.items()}

    return found


def test_best_sellers_are_by_units_of_seven_days_and_ties_go_to_the_smaller_article(lists) -> None:
    for customer in (1, 2, 3):
        assert lists(customer, 3)["best_sellers"] == [20, 21, 22]
        assert lists(customer, 12)["best_sellers"] == [20, 21, 22, 23]  # fewer where fewer were sold


def test_own_past_is_newest_first_each_once_and_then_the_best_sellers_that_it_lacks(lists) -> None:
    assert lists(1, 12)["own_past"] == [12, 10, 11, 20, 21, 22, 23]
    assert lists(1, 5)["own_past"] == [12, 10, 11, 20, 21]
    assert lists(1, 2)["own_past"] == [12, 10]
    assert lists(2, 3)["own_past"] == [13, 20, 21]  # however long ago
    assert lists(3, 3)["own_past"] == [20, 21, 22]


def test_their_map_is_that_of_the_competition(make_history) -> None:
    """Customer 1 buys 10, 20 and one more, who has the lists above; customer 3, who has best sellers, buys 21."""
    labels = pl.DataFrame(
        {"customer": [1, 1, 1, 3], "article": [10, 20, 99, 21]}, schema=dict.fromkeys(["customer", "article"], pl.Int32)
    )
    plans = baseline_lists(make_history(SOLD), labels.lazy().select("customer").unique())
    scores = {name: map_at(CPU.collect(plan), labels) for name, plan in plans.items()}
    own = (1 / 2 + 2 / 4) / 3  # 10 comes second and 20 fourth
    assert scores == pytest.approx({"best_sellers": (1 / 3 + 1 / 2) / 2, "own_past": (own + 1 / 2) / 2})


def test_they_translate_to_cudf(make_history, untranslated) -> None:
    asked = pl.LazyFrame({"customer": [1]}, schema={"customer": pl.Int32})
    assert [untranslated(plan) for plan in baseline_lists(make_history(SOLD), asked).values()] == [[], []]


def figures(raw: Path, store: Store, runs: Path, *settings: str) -> tuple[dict, dict]:
    """Return the MAP@12 and the intervals of an evaluation that fits no model."""
    config = load_config("demo", small_settings(raw, store.root, runs, "weeks.train=1", *settings))
    found = json.loads(open_pipeline(config, CPU).judge(store.last_complete_week).read_text())
    return found["map_at_12"], found["map_at_12_interval"]


PARTS = ("features={}", "ranker={kind: order}")
AGE = "popular_age: {kind: popular_by, by: age_band, n: 9}"
FEW = f"retrievers={{repurchase: {{n: 3, half_life: 90}}, popular: {{n: 5, days: 3}}, {AGE}}}"


def test_no_setting_moves_them(raw: Path, store: Store, tmp_path: Path) -> None:
    """Neither what retrievers propose, nor quotas, nor what lists must not hold."""
    history = store.as_of(store.last_complete_week.first_day)
    best = top_n(history.last(7).group_by("article").agg(score=pl.len()), 3, by=())
    ids = CPU.collect(store.article_ids().join(best, on="article", how="semi"))["article_id"]
    (tmp_path / "no.txt").write_text("\n".join(ids))
    lists = (f"lists.exclude={tmp_path / 'no.txt'}", "lists.not_bought_days=30")
    ways = [(FEW,), (FEW, "quotas.keep=4"), (FEW, *lists), (f"retrievers={{{AGE}}}",)]
    found = [figures(raw, store, tmp_path / "runs", *PARTS, *way) for way in ways]
    assert list(found[0][0]) == ["best_sellers", "own_past", "order", "ranker"]
    for scores, spans in found:
        assert scores["best_sellers"] == found[0][0]["best_sellers"] > 0
        assert scores["own_past"] == found[0][0]["own_past"] > 0
        assert spans["own_past"] == found[0][1]["own_past"]
    assert len({scores["order"] for scores, _ in found}) == len(ways)
