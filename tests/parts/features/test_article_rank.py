"""Ranks by sales, among all articles and within a kind."""

from kit import described

from hmgpu.parts.features.article_rank import ArticleRank

KINDS = {10: {"department": 1}, 11: {"department": 2}, 12: {"department": 1}, 13: {"department": 1}, 14: {}}


def test_more_units_first_then_the_smaller_article(make_history, engine):
    # Article 12 sells three units, 11 and 14 two, 10 one; 13 sold only eight days ago.
    sold = {12: 3, 11: 2, 14: 2, 10: 1}
    bought = [(7, customer, article) for article, units in sold.items() for customer in range(units)]
    history = make_history([*bought, *[(8, customer, 13) for customer in range(9)]], articles=KINDS)
    found = described(ArticleRank(), history, engine, [(1, article) for article in KINDS])
    ranks = {article: tuple(found[1, article].values()) for article in KINDS}
    assert ranks == {12: (1, 1), 11: (2, 1), 14: (3, None), 10: (4, 2), 13: (None, None)}
    assert set(found[1, 12]) == {"article_rank", "article_rank_department"}
    eight = described(ArticleRank(days=8), history, engine, [(1, 13)])
    assert tuple(eight[1, 13].values()) == (1, 1)


def test_the_kind_is_a_setting_and_needed(make_history, engine):
    history = make_history([(1, 1, 10)], articles={10: {"section": 5}})
    found = described(ArticleRank(by="section"), history, engine, [(1, 10)])[1, 10]
    assert found == {"article_rank": 1, "article_rank_section": 1}
    assert ArticleRank(by="section").needs() == {"section"}


def test_without_a_kind_the_rank_among_all_is_left(make_history, engine):
    history = make_history([(1, 1, 10), (1, 1, 11), (2, 1, 11)], present=frozenset())
    found = described(ArticleRank(by=None), history, engine, [(1, 10), (1, 11)])
    assert found == {(1, 10): {"article_rank": 2}, (1, 11): {"article_rank": 1}}
    assert ArticleRank(by=None).needs() == frozenset()
