"""How an article sold in the months before its own last sale."""

from kit import described

from hmgpu.parts.features.article_windows import ArticleWindows


def test_windows_end_with_the_articles_last_sale(make_history, engine):
    """The article sold last 100 days ago: a window of a week has that day and the six before it."""
    bought = [(100, 1, 10), (100, 2, 10), (106, 2, 10), (107, 3, 10), (119, 4, 10), (1, 4, 11)]
    ages = {1: {"age": 20}, 2: {"age": 30}, 3: {"age": 50}}
    history = make_history(bought, customers=ages, prices=[500, 700, 900, 1000, 1200, 9])
    assert described(ArticleWindows(windows=(1, 7)), history, engine, [(9, 10)])[9, 10] == {
        "article_own_units_1": 2,
        "article_own_units_7": 3,
        "article_own_units": 5,
        "article_own_buyers_1": 2,
        "article_own_buyers_7": 2,
        "article_own_buyers": 4,
        "article_own_buyer_age_1": 25,
        "article_own_buyer_age_7": 25,
        "article_own_buyer_age": 30,
        "article_own_days": 20,
        "article_own_price": 600,
        "article_own_discount": 0.5,
    }


def test_an_article_never_sold_is_unknown(make_history, engine):
    found = described(ArticleWindows(), make_history([(3, 1, 10)]), engine, [(1, 11)])
    assert set(found[1, 11].values()) == {None}


def test_a_retailer_without_prices_and_ages(make_history, engine):
    history = make_history([(3, 1, 10)], present=frozenset())
    assert described(ArticleWindows(windows=(7,)), history, engine, [(1, 10)])[1, 10] == {
        "article_own_units_7": 1,
        "article_own_units": 1,
        "article_own_buyers_7": 1,
        "article_own_buyers": 1,
        "article_own_days": 1,
    }
