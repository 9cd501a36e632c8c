"""Best sellers of the last weeks."""

from kit import proposed

from hmgpu.parts.retrievers.popular import Popular


def test_a_sale_loses_half_its_weight_every_half_life(make_history, engine):
    # Half-life 7: article 1 has 0.5, article 2 has 3 × 0.25, article 3 has 0.25.
    history = make_history([(7, 5, 1), (14, 5, 2), (14, 6, 2), (14, 7, 2), (14, 8, 3)])
    assert proposed(Popular(half_life=7), history, engine) == {1: [2, 1, 3]}


def test_every_unit_counts(make_history, engine):
    history = make_history([(2, 5, 1), (2, 6, 1), (2, 7, 2), (2, 7, 2), (2, 7, 2)])
    assert proposed(Popular(), history, engine) == {1: [2, 1]}


def test_everybody_gets_the_same_even_without_purchases(make_history, engine):
    history = make_history([(2, 5, 3), (2, 6, 3), (2, 6, 4)])
    assert proposed(Popular(), history, engine, [5, 77]) == {5: [3, 4], 77: [3, 4]}


def test_only_sales_in_the_window_count(make_history, engine):
    history = make_history([(7, 5, 1), (8, 5, 2), (8, 6, 2)])
    assert proposed(Popular(days=7), history, engine) == {1: [1]}


def test_ties_break_on_the_article_before_the_list_is_cut(make_history, engine):
    history = make_history([(2, 5, article) for article in (9, 4, 7)])
    assert proposed(Popular(n=2), history, engine) == {1: [4, 7]}


def test_nothing_sold_lately_nothing_proposed(make_history, engine):
    assert proposed(Popular(days=7), make_history([(30, 5, 1)]), engine) == {1: []}
