"""The held-out week: its pairs, and the share of them that vectors find."""

import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.parts.models.space.embedding import marked
from hmgpu.parts.models.space.topk import DotProducts
from hmgpu.parts.models.training.held_out import bought_in, held_out_recall, train_to
from hmgpu.parts.models.training.loop import Fitted
from hmgpu.parts.models.training.settings import HistoryTraining

CPU = Engine("cpu", "tests")


def test_a_purchase_is_a_pair_of_a_week_and_of_an_article_sold_before(make_history):
    sold_before = [(60, 5, article) for article in range(4)]
    history = make_history([*sold_before, (3, 1, 0), (2, 1, 0), (3, 1, 1), (1, 2, 0), (2, 2, 9)])
    pairs = CPU.collect(bought_in(history, history.cutoff - 7).sort("customer", "article"))
    assert pairs.rows() == [(1, 0), (1, 1), (2, 0)]  # article 9 was never sold before the week


def test_only_what_is_on_sale_is_found():
    """Two customers at one of 101 equal articles: the last of them has no place among a hundred unless one goes."""
    vectors = {"v000": pl.Series([2048] * 101, dtype=pl.Int16)}
    articles = pl.DataFrame({"article": pl.Series(range(101), dtype=pl.Int32), **vectors})
    customers = articles.head(2).rename({"article": "customer"})
    bought = pl.DataFrame({"customer": [0, 1], "article": [0, 100]}, schema={"customer": pl.Int32, "article": pl.Int32})

    def recall(selling: pl.DataFrame) -> float:
        tables = {"articles": CPU.collect(marked(articles.lazy(), selling.lazy())), "customers": customers}
        return held_out_recall(tables, bought, DotProducts(), CPU)

    assert recall(articles.select("article")) == 0.5
    assert recall(articles.select("article").filter(pl.col("article") > 0)) == 0.5
    assert recall(articles.select("article").filter(pl.col("article") != 50)) == 1.0


@pytest.mark.parametrize(
    ("last_week", "calls", "recall"),
    [
        ("held-out", [(-7, True, 20)], 0.5),
        ("again", [(-7, True, 20), (0, False, 3)], 0.5),
        ("trained", [(0, False, 20)], None),
    ],
)
def test_what_becomes_of_the_last_week(last_week, calls, recall, make_history, tmp_path):
    history, seen = make_history([(9, 1, 1)]), []

    def fit(settings, past, bought, work) -> Fitted:
        seen.append((past.cutoff - history.cutoff, bought is not None, settings.epochs))
        return Fitted(3, None if bought is None else 0.5, [(0.7, 0.4)] if bought is not None else [(0.6, None)])

    facts = train_to(HistoryTraining(last_week=last_week, epochs=20), history, tmp_path, fit)
    assert facts == {"held_out_recall_at_100": recall, "curve": [(0.7, 0.4)] if recall else [(0.6, None)]}
    assert seen == calls


def test_where_there_was_nothing_to_stop_by_nothing_is_trained_again(make_history, tmp_path):
    calls, again = [], HistoryTraining(last_week="again")
    facts = train_to(again, make_history([(9, 1, 1)]), tmp_path, lambda *given: calls.append(given))
    assert facts == {"held_out_recall_at_100": None, "curve": []}
    assert len(calls) == 1
