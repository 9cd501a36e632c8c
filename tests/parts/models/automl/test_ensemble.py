"""Lists that are judged, by hand and as `core.metrics` has them, and the greedy choice with replacement."""

import numpy as np
import polars as pl
import pytest
from planted import planted

from hmgpu.core.metrics import map_at, ndcg_at
from hmgpu.core.plans import ranked
from hmgpu.parts.models.automl.ensemble import Lists, chosen

ROWS = pl.DataFrame(
    {
        "customer": [1, 1, 1, 2, 2],
        "article": [10, 11, 12, 10, 11],
        "label": [0, 1, 1, 1, 0],
    }
)


def test_worth_and_ranks_by_hand():
    lists = Lists.of([ROWS])
    worth = lists.worth([pl.Series([5.0, 5.0, 9.0, None, -1.0])], smooth=1.0)
    # Ties go to the row that comes first; what has no score is worth nothing, and neither is padding.
    assert worth.tolist() == [[1 / 3, 1 / 4, 1 / 2], [0.0, 1 / 2, 0.0]]
    assert lists.ranks(worth).tolist() == [3, 1, np.inf]
    assert lists.map(np.array([3, 1, np.inf])) == pytest.approx(((1 + 2 / 3) / 2 + 0) / 2)
    assert lists.ndcg(np.array([3, 1, np.inf])) == pytest.approx((1 + 1 / 2) / (1 + 1 / np.log2(3)) / 2)


def test_figures_are_those_of_the_metrics():
    table = planted(50, 1).with_columns(score=pl.col("noise").round(1))
    bought = table.filter(pl.col("label").max().over("customer") > 0)
    lists = Lists.of([bought.head(400), bought.tail(bought.height - 400)])
    scores = [bought["score"].head(400), bought["score"].tail(bought.height - 400)]
    ranks = lists.ranks(lists.worth(scores, smooth=10.0))
    labels = bought.filter(pl.col("label") > 0).select("customer", "article")
    predictions = ranked(bought.lazy().select("customer", "article", "score"), by="customer").collect()
    assert lists.map(ranks) == pytest.approx(map_at(predictions, labels))
    assert lists.ndcg(ranks) == pytest.approx(ndcg_at(predictions, labels, 50))


def worths(lists: Lists, **scores: list[float]) -> dict[str, np.ndarray]:
    return {name: lists.worth([pl.Series(each)], 1.0) for name, each in scores.items()}


def test_members_that_err_in_different_lists_are_taken_together():
    rows = pl.DataFrame({"customer": [1] * 3 + [2] * 3, "article": [*range(3)] * 2, "label": [0, 0, 1, 0, 0, 1]})
    lists = Lists.of([rows])
    library = worths(
        lists,
        right_first=[2, 1, 3, 3, 1, 2],  # the second list has article 0 before it
        right_second=[1, 3, 2, 1, 2, 3],  # the first list has article 1 before it
        wrong=[3, 2, 1, 3, 2, 1],
    )
    weights = chosen(lists, library, picks=10, most=3)
    assert weights == {"right_first": 0.5, "right_second": 0.5}
    assert chosen(lists, library, picks=10, most=1) == {"right_first": 1.0}
    assert chosen(lists, {"wrong": library["wrong"], "same": library["wrong"]}, 5, 5) == {"wrong": 1.0}


def test_weights_are_how_often_a_member_was_added_and_the_best_on_the_way_is_kept():
    table = planted(60, 1)
    table = table.filter(pl.col("label").max().over("customer") > 0)
    lists, random = Lists.of([table]), np.random.default_rng(1)
    noisy = {f"m{n}": table["price_fit"] + pl.Series(random.normal(0, 0.5, table.height)) for n in range(4)}
    library = {name: lists.worth([scores], 10.0) for name, scores in noisy.items()}
    weights = chosen(lists, library, picks=7, most=3)
    assert 1 < len(weights) <= 3
    assert list(weights.values()) == sorted(weights.values(), reverse=True)
    assert any(all(abs(w * n - round(w * n)) < 1e-9 for w in weights.values()) for n in range(2, 8))
    together = sum(weight * library[name] for name, weight in weights.items())
    assert lists.ndcg(lists.ranks(together)) > max(lists.ndcg(lists.ranks(each)) for each in library.values())
