"""What the catalogue says about an article."""

from kit import described

from hmgpu.parts.features.catalogue import Catalogue


def test_the_codes_of_the_article_but_neither_its_product_nor_its_texts(make_history, engine):
    history = make_history(
        [(1, 1, 10), (1, 1, 11)],
        articles={10: {"product": 7, "name": "Tee", "department": 3, "colour": 9}, 11: {"department": 4}},
    )
    found = described(Catalogue(), history, engine, [(1, 10), (2, 11), (2, 12)])
    assert found[1, 10]["department"] == 3
    assert found[1, 10]["colour"] == 9
    assert found[2, 11]["department"] == 4
    assert found[2, 11]["colour"] is None
    assert set(found[2, 12].values()) == {None}
    assert not {"product", "name", "description"} & set(found[1, 10])


def test_only_what_the_retailer_has(make_history, engine):
    history = make_history([(1, 1, 10)], articles={10: {"section": 3}}, present=frozenset({"section", "name"}))
    assert described(Catalogue(), history, engine, [(1, 10)]) == {(1, 10): {"section": 3}}


def test_a_retailer_without_attributes_gets_no_column(make_history, engine):
    assert described(Catalogue(), make_history([(1, 1, 10)], present=frozenset()), engine, [(1, 10)]) == {(1, 10): {}}
