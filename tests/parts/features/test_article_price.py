"""An article's price now, compared with its usual and its highest price."""

import pytest
from kit import described

from hmgpu.parts.features.article_price import ArticlePrice


def test_a_markdown(make_history, engine):
    # Two sales lately (600 and 400: 500 on average) and one at full price: usually 2000 / 3.
    history = make_history([(3, 1, 10), (14, 2, 10), (15, 3, 10)], prices=[600, 400, 1000])
    assert described(ArticlePrice(recent=14), history, engine, [(9, 10)])[9, 10] == {
        "article_price": pytest.approx(2000 / 3, rel=1e-6),
        "article_price_now": 500,
        "article_discount": 0.75,
        "article_markdown": 0.5,
    }


def test_an_article_not_sold_lately_has_no_price_now(make_history, engine):
    history = make_history([(15, 3, 10)], prices=[1000])
    found = described(ArticlePrice(recent=14), history, engine, [(9, 10), (9, 11)])
    assert found[9, 10] == {
        "article_price": 1000,
        "article_price_now": None,
        "article_discount": None,
        "article_markdown": None,
    }
    assert set(found[9, 11].values()) == {None}


def test_prices_before_the_window_are_forgotten(make_history, engine):
    history = make_history([(3, 1, 10), (31, 1, 10)], prices=[500, 1000])
    assert described(ArticlePrice(days=30), history, engine, [(9, 10)])[9, 10]["article_markdown"] == 1
    assert described(ArticlePrice(days=31), history, engine, [(9, 10)])[9, 10]["article_markdown"] == 0.5


def test_it_needs_prices():
    assert ArticlePrice().needs() == {"price"}
