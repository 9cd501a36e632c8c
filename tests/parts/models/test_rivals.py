"""Orders without a model and a ranker next to them: places, fused scores and weights, worked out by hand."""

import polars as pl
import pytest

from hmgpu.parts.models.rivals import _shares, fused, judge, places_of, unproven

RANKS = {"own_rank": pl.Int32, "popular_rank": pl.Int32, "best_rank": pl.Int32, "worth": pl.Int64}


def test_places_are_those_of_the_ranker_and_the_first_of_each_rival():
    table = pl.DataFrame(
        {
            "customer": [1, 1, 1, 1],
            "article": [10, 11, 12, 13],
            "own_rank": [None, 2, 1, None],
            "popular_rank": [1, 3, 2, 4],
            "best_rank": [1, 2, 1, 4],
            "worth": [7, 9, 7, 9],
        },
        schema_overrides=RANKS,
    )
    orders = {"order": ("own", "popular"), "worth": (), "chain": ("own",)}
    places = places_of(pl.Series([5.0, None, 5.0, 6.0]), orders, 3, table)
    assert places.to_dict(as_series=False) == {
        "customer": [1, 1, 1, 1],
        "article": [10, 11, 12, 13],
        "order": [3, 2, 1, None],
        "worth": [3, 1, None, 2],  # equal worth goes by the best rank, and that by the article
        "chain": [None, 2, 1, None],
        "ranker": [2, None, 3, 1],  # a tie goes to the smaller article
    }
    assert places_of(None, {"chain": ("own",)}, 3, table).columns == ["customer", "article", "chain"]
    scores = fused(places, {"ranker": 0.4, "chain": 0.6}, 1.0)
    assert scores.to_list() == pytest.approx([0.4 / 3, 0.6 / 3, 0.4 / 4 + 0.6 / 2, 0.4 / 2])
    assert fused(places, {"chain": 1.0}, 0.0).to_list() == [None, 0.5, 1.0, None]


def lists(**firsts: list[int]) -> pl.DataFrame:
    """Two candidates of each customer, the first of which was bought; by name, the place of that one."""
    customers = len(next(iter(firsts.values())))
    places = {name: [place for first in of for place in (first, 3 - first)] for name, of in firsts.items()}
    keys = {"customer": [c for c in range(customers) for _ in (0, 1)], "article": [0, 1] * customers}
    return pl.DataFrame({**keys, **places, "label": [1, 0] * customers})


def test_whom_the_ranker_beats_beyond_chance_has_no_say():
    # 40 customers: the ranker is right with 30 of them, `poor` with none, `even` with the others and 20 of these.
    verdict = judge(lists(poor=[2] * 40, even=[1] * 30 + [2] * 10, ranker=[1] * 20 + [2] * 10 + [1] * 10), 10.0)
    assert verdict.customers == 40
    assert verdict.map_at_12 == {"poor": 0.5, "even": 0.875, "ranker": 0.875}
    assert verdict.ahead["poor"][0] == 0.375
    assert verdict.ahead["poor"][1] > 0
    low, high = verdict.ahead["even"][1:]
    assert low < 0 < high
    # Where two disagree the heavier one decides, so no weights are better than the ranker's own: it keeps all.
    assert verdict.weights == {"ranker": 1.0}
    assert "even 0.87500 (+0.00000, -" in verdict.said()
    assert verdict.said().endswith("weights: ranker 1")


def test_the_best_of_those_that_are_not_beaten_is_found():
    verdict = judge(lists(good=[1] * 40, ranker=[1] * 10 + [2] * 30), 10.0)
    assert verdict.weights == {"ranker": 0.4, "good": 0.6}  # the most for the ranker that makes every list right
    assert unproven(2).weights == {"order": 1.0}


def test_weights_add_up_to_one_and_begin_with_the_ranker():
    assert list(_shares(["ranker"])) == [{"ranker": 1.0}]
    two = list(_shares(["ranker", "order"]))
    assert (two[0], two[1], two[-1]) == ({"ranker": 1.0}, {"ranker": 0.8, "order": 0.2}, {"order": 1.0})
    four = list(_shares(["ranker", "a", "b", "c"]))
    assert len(four) == 56
    assert all(sum(weights.values()) == pytest.approx(1) for weights in four)
