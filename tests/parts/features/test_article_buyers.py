"""Ages and channels of an article's latest buyers."""

import pytest
from kit import described

from hmgpu.parts.features.article_buyers import ArticleBuyers


def test_ages_and_channels(make_history, engine):
    bought = [(1, 1, 10), (7, 2, 10), (7, 4, 10), (8, 3, 10), (91, 1, 10), (92, 5, 10), (40, 9, 11)]
    ages = {1: {"age": 20}, 2: {"age": 30}, 3: {"age": 60}, 5: {"age": 99}, 8: {"age": 45}}
    history = make_history(bought, customers=ages, channels=[0, 0, 1, 0, 1, 0, 1])
    found = described(ArticleBuyers(), history, engine, [(3, 10), (8, 10), (4, 10), (1, 11)])
    assert found[3, 10] == {
        "article_youngest_buyer": 20,
        "article_oldest_buyer": 60,  # 92 days ago is before the window
        "article_recent_buyer_age": 25,  # the mean of 20 and 30; one buyer's age is unknown
        "article_recent_buyer_age_distance": 35,
        "article_first_channel": pytest.approx((3 + 1) / (5 + 2)),
        "channel_fit": pytest.approx(2 / 3 * 4 / 7 + 1 / 3 * 3 / 7),
    }
    assert found[8, 10]["article_recent_buyer_age_distance"] == 20
    assert found[8, 10]["channel_fit"] is None  # never bought anything
    assert found[4, 10]["article_recent_buyer_age_distance"] is None
    # Nobody bought 11 in the last week; the only customer who ever did has no age.
    assert [found[1, 11][name] for name in ("article_recent_buyer_age", "article_oldest_buyer")] == [None, None]
    assert found[1, 11]["article_first_channel"] == pytest.approx(1 / 3)


def test_customers_of_the_same_channel_fit_better(make_history, engine):
    shop, online = 0, 1
    history = make_history([(5, 1, 10), (6, 1, 11), (5, 2, 12), (6, 2, 12)], channels=[shop, shop, online, online])
    fit = {
        pair: row["channel_fit"]
        for pair, row in described(ArticleBuyers(), history, engine, [(1, 10), (1, 12), (2, 10), (2, 12)]).items()
    }
    assert fit[1, 10] > fit[1, 12]
    assert fit[2, 12] > fit[2, 10]


def test_it_needs_ages_and_channels():
    assert ArticleBuyers().needs() == {"age", "channel"}
