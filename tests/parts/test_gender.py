"""Whether articles are women's or men's, and from which share on a customer is a buyer of one of the two."""

import polars as pl

from hmgpu.parts.gender import MEN, WOMEN, article_gender, customer_gender

GROUPS = {1: "Ladieswear", 2: "Menswear", 3: "Sport", 4: None}


def grouped_history(make_history, bought):
    return make_history(bought, articles={article: {"index_group_name": name} for article, name in GROUPS.items()})


def test_articles_are_what_their_group_is_called(make_history, engine):
    history = grouped_history(make_history, [(1, 1, article) for article in GROUPS])
    found = engine.collect(article_gender(history, ("Ladieswear",), ("Menswear",)).sort("article"))
    assert found.rows() == [(1, WOMEN), (2, MEN)]
    other = engine.collect(article_gender(history, (), ("Sport", "Menswear")).sort("article"))
    assert other.rows() == [(2, MEN), (3, MEN)]


def test_four_fifths_of_one_gender_decide(make_history, engine):
    # 1: four women's, one men's, and sports, which are neither; 2: three to one; 3: only men's; 4: only sports.
    bought = [*[(day, 1, 1) for day in range(1, 5)], (5, 1, 2), (5, 1, 3), (5, 1, 3)]
    bought += [*[(day, 2, 1) for day in range(1, 4)], (4, 2, 2), (1, 3, 2), (1, 4, 3)]
    history = grouped_history(make_history, bought)
    articles = article_gender(history, ("Ladieswear",), ("Menswear",))
    found = engine.collect(customer_gender(history.transactions, articles).sort("customer"))
    assert found.columns == ["customer", "women", "men", "gender"]
    assert found.rows() == [(1, 4, 1, WOMEN), (2, 3, 1, None), (3, 0, 1, MEN)]
    looser = engine.collect(customer_gender(history.transactions, articles, share=75).sort("customer"))
    assert looser["gender"].to_list() == [WOMEN, WOMEN, MEN]
    assert found.schema["gender"] == pl.Int32
