"""The forecast of the units that an article will sell next week."""

import numpy as np
import polars as pl
import pytest
from kit import bound, described, learned

from hmgpu.parts.features.demand import Demand, Weekly

LITTLE = Demand(weeks=2)


def test_trees_learn_how_sales_go_on(make_history, engine):
    """Every article sells 32 units in its first week and half as much each week after; first weeks differ."""
    bought = [
        (7 * (born - week) - 3, customer, article)
        for article in range(40)
        for born in [1 + article % 6]
        for week in range(born)
        for customer in range(32 >> week)
    ]
    found = described(Demand(weeks=8), make_history(bought), engine, [(1, article) for article in range(40)])
    growth = [row["demand_growth"] for row in found.values()]
    assert max(growth) < 0.7  # with few examples, trees don't reach a half everywhere
    assert np.mean(growth) == pytest.approx(0.5, abs=0.1)
    newest = {article: found[1, article]["demand_units"] for article in (0, 5)}
    assert newest[0] == pytest.approx(16, rel=0.2)
    assert newest[5] == pytest.approx(0.5, abs=0.4)
    assert found[1, 0]["demand_rank"] < found[1, 5]["demand_rank"]


def test_it_beats_last_week_on_synthetic_data(store, engine):
    """The mean absolute error of the logarithm of sales, over all articles that have a forecast."""
    errors = {"demand_units": [], "last": []}
    for back in range(4):
        week = store.last_complete_week.back(back)
        history = store.as_of(week.first_day)
        demand = learned(bound(Demand(), history, engine), history, engine)["demand"]
        sold_next = store.as_of(week.last_day + 1).last(7).group_by("article").agg(sold_next=pl.len())
        last = history.last(7).group_by("article").agg(last=pl.len())
        sides = demand.join(sold_next, on="article", how="left").join(last, on="article", how="left")
        table = engine.collect(sides.fill_null(0))
        for name, found in errors.items():
            found.extend((table[name].log1p() - table["sold_next"].log1p()).abs())
    assert len(errors["last"]) > 400
    assert np.mean(errors["demand_units"]) < 0.95 * np.mean(errors["last"])


def test_without_a_past_next_week_is_as_last_week(make_history, engine):
    history = make_history([(1, 1, 10), (2, 1, 10), (7, 2, 10), (3, 1, 11), (7, 1, 12)])
    found = described(LITTLE, history, engine, [(1, 10), (1, 11), (1, 12), (1, 13)])
    assert found[1, 10] == {"demand_units": pytest.approx(3), "demand_growth": pytest.approx(1), "demand_rank": 1}
    assert (found[1, 11]["demand_rank"], found[1, 12]["demand_rank"]) == (2, 3)  # ties break on the article
    assert set(found[1, 13].values()) == {None}


def test_no_forecast_for_what_did_not_sell_in_four_weeks(make_history, engine):
    found = described(LITTLE, make_history([(28, 1, 10), (29, 1, 11)]), engine, [(1, 10), (1, 11)])
    assert found[1, 10]["demand_rank"] == 1
    assert found[1, 10]["demand_units"] < 0.5
    assert set(found[1, 11].values()) == {None}


def test_a_history_without_recent_sales(make_history, engine):
    found = described(LITTLE, make_history([(900, 1, 10)]), engine, [(1, 10)])
    assert set(found[1, 10].values()) == {None}


def test_what_trees_see_of_a_week(make_history, engine):
    """Two weeks ago 4 units at 1000, 1 of them on the last three days; last week 2 units at 750, none of them."""
    bought = [(14, 1, 10), (13, 1, 10), (12, 1, 10), (8, 1, 10), (7, 1, 10), (4, 1, 10), (1, 2, 11)]
    prices = [1000, 1000, 1000, 1000, 800, 700, 500]
    group = {10: {"garment_group": 5}, 11: {"garment_group": 6}}
    sales = Weekly.of(make_history(bought, articles=group, prices=prices), 54, engine.collect)
    assert sales.units[:, -2:].tolist() == [[4, 2], [0, 1]]
    assert sales.late[:, -2:].tolist() == [[1, 0], [0, 1]]
    row = sales.features_at(53, np.array([0]))[0].tolist()
    logs = np.log1p([2, 4, 0, 0])
    season = [np.log(3 / 5), 0, np.log(4 / 5), 0]  # of its group and of all: against the week before, a year ago
    expected = [*logs, logs[0] - logs[1], np.log1p(6 / 8), 0.5, 1, 1, 1 / (2 * 3 / 7 + 1), 0.75, 0.75, np.log(1000)]
    assert row == pytest.approx([*expected, *season], rel=1e-6)


def test_a_week_is_described_by_nothing_after_it(make_history, engine):
    bought = [(20, 1, 10), (16, 1, 11), (12, 1, 10), (9, 2, 11)]
    weeks = [
        Weekly.of(make_history(rows), 56, engine.collect)
        for rows in (
            bought,
            [*bought, (6, 1, 10), (5, 3, 10), (2, 1, 11)],
        )
    ]
    assert weeks[0].features_at(54, np.array([0, 1])).tolist() == weeks[1].features_at(54, np.array([0, 1])).tolist()
