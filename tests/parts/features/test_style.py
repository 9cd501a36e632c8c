"""How well the candidate's colour, pattern and price level agree with the customer's taste."""

import math

import pytest
from kit import described
from pydantic import ValidationError

from hmgpu.parts.features.style import Style

RED, BLUE = 1, 2


def looks(colour: int | None, kind: int = 7) -> dict[str, int | None]:
    return {"colour_master": colour, "product_type": kind}


def test_a_look_counts_by_how_much_more_of_it_the_customer_buys(make_history, engine):
    """Two of everybody's eight purchases are red, and customer 1 bought both of them, one half-life ago."""
    bought = [(10, 1, 10), (10, 1, 11), *((5, 2, 12) for _ in range(6))]
    articles = {10: looks(RED), 11: looks(RED), 12: looks(BLUE), 13: looks(RED), 14: looks(None)}
    history = make_history([*bought, (400, 9, 13), (400, 9, 14)], articles=articles)
    part = Style(looks=("colour_master", "appearance"), half_life=10, prior=3)
    found = described(part, history, engine, [(1, 13), (1, 12), (1, 14), (8, 12)])
    # Own weight: two halves. Red is a quarter of everybody's, so that three average purchases have .75 of it.
    assert found[1, 13]["style_colour_master"] == pytest.approx(math.log((1 + 3 * 0.25) / (1 + 3) / 0.25))
    assert found[1, 12]["style_colour_master"] == pytest.approx(math.log(3 * 0.75 / (1 + 3) / 0.75))
    assert found[8, 12]["style_colour_master"] == pytest.approx(0)
    assert found[1, 14]["style_colour_master"] is None
    assert found[1, 14]["style_agreement"] == 0
    # Nobody has bought any appearance, so that the agreement is that of the colours.
    assert found[1, 13]["style_agreement"] == found[1, 13]["style_colour_master"]


def test_looks_add_up(make_history, engine):
    articles = {a: looks(a % 2 + 1) | {"appearance": a // 2 + 1} for a in range(4)}
    history = make_history([(3, 1, 0), (3, 1, 3), (2, 2, 1), (1, 2, 2), (1, 2, 2)], articles=articles)
    found = described(Style(), history, engine, [(1, 0), (2, 3)])
    for row in found.values():
        assert row["style_agreement"] == pytest.approx(row["style_colour_master"] + row["style_appearance"], rel=1e-5)
        assert row["style_perceived_colour"] is None


def test_price_levels_compare_within_the_type(make_history, engine):
    """Socks cost 300 on average, coats 6000; customer 1 bought the dearer socks and nothing else."""
    socks, coats = {a: looks(RED, 7) for a in (10, 11)}, {a: looks(RED, 8) for a in (20, 21)}
    history = make_history(
        [(1, 1, 11), (5, 2, 10), (5, 2, 20), (5, 3, 21)], articles=socks | coats, prices=[400, 200, 4000, 8000]
    )
    found = described(Style(prior=1, half_life=1e9), history, engine, [(1, 20), (1, 21), (9, 10)])
    own = math.log(400 / 300) / 2  # one purchase by the customer, and a prior of one at the usual price
    assert found[1, 21]["style_price_level"] == pytest.approx(math.log(8000 / 6000))
    assert found[1, 21]["style_price_away"] == pytest.approx(math.log(8000 / 6000) - own, rel=1e-4)
    assert found[1, 20]["style_price_away"] == pytest.approx(math.log(4000 / 6000) - own, rel=1e-4)
    assert found[9, 10]["style_price_away"] == pytest.approx(math.log(200 / 300))


def test_looks_are_code_columns_of_articles():
    with pytest.raises(ValidationError, match="'name' is not a look of articles; choose from product, "):
        Style(looks=("name",))
