"""Why an article is on a list, by a history whose reasons are known."""

from types import SimpleNamespace

import polars as pl
import pytest
from conftest import CUTOFF

from hmgpu.data.weeks import date_of
from hmgpu.parts.part import PartContext
from hmgpu.parts.retrievers.copurchase import CoPurchase
from hmgpu.parts.retrievers.popular import Popular
from hmgpu.parts.retrievers.popular_by import PopularBy
from hmgpu.parts.retrievers.repurchase import Repurchase
from hmgpu.pipeline.families import retriever_step
from hmgpu.pipeline.learn import all_learned
from hmgpu.pipeline.reasons import added_by_part, deciding, sentences

# Customers 8 and 9 bought 10 and, two days later, 20; customer 1 bought 10 six days before the cutoff.
BOUGHT = [(5, 8, 10), (3, 8, 20), (5, 9, 10), (3, 9, 20), (6, 1, 10)]
NAMES = {10: {"name": "Jersey top"}, 20: {"department": 1, "department_name": "Divided"}}
RETRIEVERS = {
    "repurchase": Repurchase(),
    "popular": Popular(),
    "copurchase": CoPurchase(),
    "in_department": PopularBy(by="department"),
}


@pytest.fixture
def said(make_history, engine):
    """Sentences about 10, 20 and 30 on the list of customer 1, by what is known of articles and what parts add."""

    def said(names, adds=None):
        history = make_history(BOUGHT, articles=names, launched={30: 9})

        def bind(part):
            return part.bind(PartContext(engine, 1, lambda: None))

        tables = {
            retriever_step(name): all_learned(bind(part), history, history, engine) for name, part in RETRIEVERS.items()
        }
        context = SimpleNamespace(
            retrievers=RETRIEVERS,
            engine=engine,
            learning=SimpleNamespace(bind=bind),
            store=SimpleNamespace(articles=lambda: history.articles),
        )
        ranks = {
            "repurchase_rank": [1, None, None],
            "popular_rank": [2, 1, None],
            "copurchase_rank": [None, 3, None],
            "in_department_rank": [None, 2, None],
        }
        listed = pl.DataFrame({"customer": [1, 1, 1], "article": [10, 20, 30], **ranks}).cast(pl.Int32)
        return sentences(context, SimpleNamespace(tables=tables, audience=history), listed, adds or {})

    return said


def test_the_customers_own_articles_come_first_then_the_best_ranks(said):
    day = date_of(CUTOFF - 6)
    assert said(NAMES) == [
        f"You bought it on {day.day} {day:%B %Y}; best seller.",
        "Bought together with your Jersey top; best seller.",
        "Best seller of the last weeks.",
    ]


def test_what_adds_most_to_the_score_is_said_before_better_ranks(said):
    adds = {(1, 20): {"retrievers.popular": -0.5, "retrievers.in_department": 0.25, "features.price": 3.0}}
    assert said(NAMES, adds)[1] == "Bought together with your Jersey top; best seller in Divided."


def test_without_attributes_articles_go_by_their_ids(said):
    assert said({})[1] == "Bought together with your article 0000000010; best seller."
    assert said({10: {"product_type_name": "T-shirt"}})[1] == "Bought together with your T-shirt; best seller."


def test_columns_are_added_up_by_part_and_the_last_stage_decides():
    rows = pl.DataFrame({"customer": [1, 1], "article": [10, 20]})
    stages = {
        "first": pl.DataFrame({"popular_rank": [1.0, 2.0], "average": [0.5, 0.5]}),
        "then": pl.DataFrame({"popular_rank": [1.0, -1.0], "popular_score": [0.25, 0.5], "average": [2.0, 2.0]}),
    }
    model, parts = SimpleNamespace(contributions=lambda _: stages), dict.fromkeys(stages["then"].columns[:2], "p")
    found = added_by_part(model, rows, parts)
    assert found["first"] == [{"p": 1.0, "average": 0.5}, {"p": 2.0, "average": 0.5}]
    assert deciding(found, rows) == {(1, 10): {"p": 1.25, "average": 2.0}, (1, 20): {"p": -0.5, "average": 2.0}}
    assert deciding({}, rows) == {}
