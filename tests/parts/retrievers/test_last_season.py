"""Best sellers of the same weeks a year ago that are on sale again."""

from kit import proposed, scored

from hmgpu.parts.retrievers.last_season import LastSeason


def products(of: dict[int, int | None]) -> dict[int, dict[str, int | None]]:
    return {article: {"product": product} for article, product in of.items()}


def test_the_season_starts_at_the_anniversary_and_lasts_its_weeks(make_history, engine):
    # The anniversary of the cutoff is 364 days ago; two weeks from there end 351 days ago.
    then = [(365, 8, 1), (364, 8, 2), (351, 8, 3), (350, 8, 4)]
    now = [(2, 9, article) for article in (1, 2, 3, 4)]
    history = make_history(then + now, articles=products({a: a for a in (1, 2, 3, 4)}))
    assert proposed(LastSeason(weeks=2), history, engine) == {1: [2, 3]}
    assert proposed(LastSeason(weeks=1), history, engine) == {1: [2]}


def test_sales_of_the_product_go_to_its_articles_of_today(make_history, engine):
    # Product 7 sold 4 units a year ago as article 1, which is gone; article 2 sells 9 now: sqrt(4 × 9) = 6.
    # Product 8 sold 1 unit as article 3, which sells 4 now: sqrt(1 × 4) = 2. Product 9 is new.
    then = [(360, 8, 1)] * 4 + [(360, 8, 3)]
    now = [(2, 9, 2)] * 9 + [(2, 9, 3)] * 4 + [(2, 9, 5)] * 50
    history = make_history(then + now, articles=products({1: 7, 2: 7, 3: 8, 5: 9}))
    assert scored(LastSeason(), history, engine, [1, 2]) == {c: [(2, 6 << 20), (3, 2 << 20)] for c in (1, 2)}


def test_without_products_the_article_itself_must_return(make_history, engine):
    history = make_history(
        [(360, 8, 1), (360, 8, 3), (2, 9, 2), (2, 9, 3)],
        articles=products({1: 7, 2: 7, 3: 8}),
        present=frozenset({"price", "channel"}),
    )
    assert proposed(LastSeason(), history, engine) == {1: [3]}


def test_only_what_sells_now(make_history, engine):
    history = make_history([(360, 8, 1), (360, 8, 2), (14, 9, 1), (15, 9, 2)], articles=products({1: 1, 2: 2}))
    assert proposed(LastSeason(on_sale=14), history, engine) == {1: [1]}


def test_ties_break_on_the_article_before_the_list_is_cut(make_history, engine):
    history = make_history(
        [(360, 8, 1), *[(2, 9, article) for article in (6, 4, 5)]], articles=products(dict.fromkeys((1, 4, 5, 6), 1))
    )
    assert proposed(LastSeason(n=2), history, engine) == {1: [4, 5]}


def test_in_the_first_year_nobody_gets_anything(make_history, engine):
    assert proposed(LastSeason(), make_history([(100, 8, 1), (2, 9, 1)]), engine) == {1: []}
