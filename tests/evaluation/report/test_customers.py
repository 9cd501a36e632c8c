"""What the page shows of its customers."""

import dataclasses

import polars as pl
import pytest

from hmgpu.evaluation.report.customers import cards_of, customers


@pytest.fixture
def cards(evaluated):
    return {card.about.split(" · ")[0]: card for card in customers(cards_of(evaluated)).blocks}


def shelf(card, number):
    return card.shelves[number][1]


def test_a_card_tells_what_was_bought_recommended_and_bought_then(cards):
    card = cards["customer one"]
    assert card.title == "Active: found at the top"
    assert card.about == "customer one · age 33 · 2 earlier purchases on 2 days · average precision 1.000"
    assert [(article.about, article.note) for article in shelf(card, 0)] == [
        ("Red, 0010", "2 days before"),
        ("Red, 0011", "9 days before"),
    ]
    recommended = shelf(card, 1)
    assert len(recommended) == 12
    assert [article.hit for article in recommended] == [True] + [False] * 11
    assert [article.note for article in recommended[:4]] == [
        "popular 1, repurchase 1",
        "repurchase 2",
        "popular 2",
        "best seller that fills up the list",
    ]
    assert [(article.note, article.hit) for article in shelf(card, 2)] == [("recommended at rank 1", True)]


def test_a_recommendation_says_why(evaluated):
    told = dataclasses.replace(evaluated, reasons={(1, 10): "You bought it on 1 August 2020.", (1, 13): "Best seller."})
    (card, *_) = [card for card in customers(cards_of(told)).blocks if card.about.startswith("customer one")]
    assert [article.note for article in shelf(card, 1)[:4]] == [
        "You bought it on 1 August 2020. (popular 1, repurchase 1)",
        "repurchase 2",
        "popular 2",
        "Best seller. (best seller that fills up the list)",
    ]


def test_recommendations_stand_in_their_order(cards):
    # The first retriever's, the second's, then the best sellers that aren't listed yet.
    shown = [article.about for article in shelf(cards["customer two"], 1)]
    assert shown[:5] == ["Red, 0012", "Red, 0010", "Red, 0013", "Red, 0011", "Red, 0014"]
    assert [article.note for article in shelf(cards["customer two"], 2)] == ["recommended at rank 1"]


def test_what_was_missed_says_why(cards):
    new = cards["customer three"]
    assert shelf(new, 0) == []
    # Article 13 fills the list up; article 23 is new to everybody.
    assert [(article.about, article.note) for article in shelf(new, 2)] == [
        ("Red, 0013", "recommended at rank 4"),
        ("0023", "first sold in this week"),
    ]


def test_what_was_proposed_but_not_listed_has_its_place(evaluated):
    # Thirteen candidates, of which the last was bought.
    rows = [(3, 10 + n, None, n + 1, int(n == 12)) for n in range(13)]
    file = evaluated.examples.files[0]
    evaluated.examples.write(file, pl.DataFrame(rows, pl.read_parquet_schema(file), orient="row"), early=[])
    labels = evaluated.labels.filter(pl.col("customer") == 3).with_columns(article=pl.Series([22, 15], dtype=pl.Int32))
    only = evaluated.precisions.filter(pl.col("customer") == 3)
    (card,) = customers(cards_of(dataclasses.replace(evaluated, labels=labels, precisions=only))).blocks
    assert card.title == "New: proposed, not listed"
    assert [article.note for article in shelf(card, 2)] == ["recommended at rank 6", "proposed, ranked 13"]
