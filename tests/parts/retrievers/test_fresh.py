"""Fresh: articles that nobody has bought yet, placed by their content where buyers of the like are."""

import kit
import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.metrics import recall_at
from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.parts.retrievers.fresh import Fresh
from hmgpu.testing import bound, contract_data, learned

CPU = Engine("cpu", "tests")
# Customers 0 to 9 buy articles of type 0 (0 to 9), customers 10 to 19 those of type 1 (10 to 19).
BOUGHT = [
    (1 + (customer + place) % 20, customer, customer // 10 * 10 + (customer + place) % 10)
    for customer in range(20)
    for place in range(5)
]
# 20 and 21 are new, of the two types; 22 is as old as the others, 23 was launched too long ago.
TYPES = {article: {"product_type": article // 10} for article in range(20)}
TYPES |= {20: {"product_type": 0}, 21: {"product_type": 1}, 22: {"product_type": 0}, 23: {"product_type": 0}}
OLD = dict.fromkeys(range(20), 100)


@pytest.fixture(params=["als", "buyers"])
def part(request) -> Fresh:
    return Fresh(space=request.param, dimensions=4, n=5)


def shop(make_history, **more) -> History:
    return make_history(BOUGHT, articles=TYPES, launched=OLD | {20: 0, 21: 3, 22: 100, 23: 29}, **more)


def test_new_articles_go_to_those_who_bought_the_like(part, make_history):
    found = kit.proposed(part, shop(make_history), CPU, [0, 9, 10, 19])
    assert found == {0: [20, 21], 9: [20, 21], 10: [21, 20], 19: [21, 20]}


def test_what_sells_and_who_is_unknown_are_left_out(make_history):
    part = Fresh(dimensions=4, sold=1)
    bought = [*BOUGHT, (1, 3, 20), (1, 12, 21), (1, 13, 21)]
    history = make_history(bought, articles=TYPES, launched=OLD | {20: 5, 21: 5})
    assert kit.proposed(part, history, CPU, [0, 77]) == {0: [20], 77: []}


def test_without_launches_new_are_those_that_were_first_sold_lately(make_history):
    history = make_history([*BOUGHT, *((60, 4, a) for a in range(20)), (6, 3, 20)], articles=TYPES)
    assert kit.proposed(Fresh(dimensions=4), history, CPU, [0]) == {0: [20]}


def test_the_longer_it_hardly_sells_the_less_it_is_worth(make_history):
    def score(ago: int) -> float:
        history = make_history(BOUGHT, articles=TYPES, launched=OLD | {20: ago})
        return kit.scored(Fresh(dimensions=4), history, CPU, [0])[0][0][1]

    assert score(7) == pytest.approx(score(0) / 2, rel=0.01)
    assert score(14) == pytest.approx(score(0) / 4, rel=0.02)


def test_as_a_feature_it_compares_every_article_that_has_content(part, make_history):
    found = kit.described(part, shop(make_history), CPU, [(0, 20), (0, 21), (0, 1), (0, 22)])
    near = {article: row["fresh_dot"] for (_, article), row in found.items()}
    assert near[20] == near[1] == near[22] > 0 > near[21]


def test_pictures_and_sentences_count_as_content(make_history):
    same = {article: {"product_type": 5} for article in TYPES}
    looks = {article: [1.0, 0.0] if of["product_type"] == 0 else [0.0, 1.0] for article, of in TYPES.items()}
    for of in ("pictures", "text"):
        history = make_history(BOUGHT, articles=same, launched=OLD | {20: 0, 21: 0}, vectors={of: looks})
        assert kit.proposed(Fresh(dimensions=4), history, CPU, [0, 10]) == {0: [20, 21], 10: [21, 20]}


def test_it_finds_far_more_of_what_was_never_sold_than_chance():
    """Chance is a list of as many articles, drawn from all on offer: sold in four weeks or launched in them."""
    store, found, bought, chance = contract_data().store, 0.0, 0, 0.0
    for back in range(1, 9):
        week = store.last_complete_week.back(back)
        history = store.as_of(week.first_day)
        sold = CPU.collect(history.transactions.select("article").unique())
        labels = CPU.collect(store.sold_in(week)).join(sold, on="article", how="anti")
        launched = history.articles.filter(pl.col("first_day") >= history.cutoff - 4 * DAYS).select("article")
        offered = CPU.collect(pl.concat([launched, history.on_sale(4 * DAYS)]).unique()).height
        part = bound(Fresh(n=10, dimensions=8), history)
        asked = labels.lazy().select("customer").unique()
        lists = CPU.collect(part.retrieve(learned(part, history), asked))
        found += recall_at(lists, labels, 10) * labels.height
        chance += 10 / offered * labels.height
        bought += labels.height
    assert bought > 20
    assert found > 5 * chance
