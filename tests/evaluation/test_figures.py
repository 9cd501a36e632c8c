"""The figures of one week, on a week worked by hand."""

import json
from pathlib import Path

import polars as pl
import pytest

from hmgpu.evaluation.figures import figures_of, members_of, score_methods, with_ages
from hmgpu.evaluation.retrievers import count_by_rank
from hmgpu.parts.examples import Examples
from hmgpu.parts.rankers.order import OrderModel
from hmgpu.pipeline.baselines import baseline_lists
from hmgpu.pipeline.candidates import merge
from hmgpu.pipeline.lists import top_k

SCHEMA = {"customer": pl.Int32, "article": pl.Int32, "score": pl.Int64, "rank": pl.Int32}

# Customer 1 bought 28 days ago (active), 2 bought 29 days ago (lapsed), 3 never did (new).
BOUGHT_BEFORE = [(28, 1, 10), (29, 2, 11), *[(1, 9, article) for article in range(20, 32)]]
# In the week, 1 buys 10 again and 21, 2 buys 40, which nobody proposes, 3 buys 20.
LABELS = pl.DataFrame(
    [(1, 10), (1, 21), (2, 40), (3, 20)], schema={"customer": pl.Int32, "article": pl.Int32}, orient="row"
)


@pytest.fixture
def examples(tmp_path: Path, engine) -> Examples:
    """`again` proposes what was bought before, `top` 20 and 21 to everybody; one file a customer, none for nobody."""
    again = [(1, 10, 9, 1), (2, 11, 8, 1)]
    top = [(customer, article, 40 - article, article - 19) for customer in (1, 2, 3) for article in (20, 21)]
    merged = merge(
        {name: pl.LazyFrame(rows, schema=SCHEMA, orient="row") for name, rows in (("again", again), ("top", top))}
    )
    table = engine.collect(merged.with_columns(label=pl.lit(0, pl.Int8)).sort("customer", "article"))
    files = []
    for customer in (1, 2, 3, 4):
        files.append(tmp_path / f"{customer}.parquet")
        table.filter(pl.col("customer") == customer).write_parquet(files[-1])
    return Examples(tuple(files))


@pytest.fixture
def evaluated(examples, make_history, engine):
    """Return all figures of the pipeline, and every customer's average precisions."""
    filler = pl.LazyFrame(
        {"article": range(20, 32), "rank": range(1, 13)}, schema={"article": pl.Int32, "rank": pl.Int32}
    )
    history, retrievers = make_history(BOUGHT_BEFORE), ["again", "top"]
    members = members_of(history, LABELS.select("customer").unique(), engine)
    buyers = members.lazy().select("customer")
    scores = pl.concat(score_methods(table, OrderModel(("top", "again")), retrievers) for table in examples.tables())
    labels = with_ages(LABELS, history, engine)
    counts = [count_by_rank(table, retrievers, labels, members, engine) for table in examples.tables()]
    plans = {name: top_k(scores.lazy().rename({name: "score"}), buyers, filler) for name in ("order", "ranker")}
    lists = {name: engine.collect(plan) for name, plan in (baseline_lists(history, buyers) | plans).items()}
    on_sale = engine.collect(history.on_sale(28))
    return figures_of(lists, pl.concat(counts), retrievers, labels, members, on_sale)


@pytest.fixture
def figures(evaluated):
    return evaluated[0]


def test_map_of_every_method_by_hand(figures):
    # best sellers: everybody gets 20, 21, …:    1 hits 21 at 2: (1/2)/2 = .25; 2: 0; 3 hits 20 at 1: 1.
    # order and own past: 1 gets 10, 20, 21: (1 + 2/3)/2 = 5/6; 2: 0; 3: 1.
    # ranker (top before again):      1 gets 20, 21, 10: (1/2 + 2/3)/2 = 7/12; 2: 0; 3: 1.
    assert figures["map_at_12"] == {
        "best_sellers": pytest.approx((0.25 + 0 + 1) / 3),
        "own_past": pytest.approx((5 / 6 + 0 + 1) / 3),
        "order": pytest.approx((5 / 6 + 0 + 1) / 3),
        "ranker": pytest.approx((7 / 12 + 0 + 1) / 3),
    }
    assert figures["customers"] == 3
    # Of 36 places two or three hold what was bought.
    assert figures["precision_at_12"] == dict.fromkeys(figures["map_at_12"], pytest.approx(3 / 36)) | {
        "best_sellers": pytest.approx(2 / 36)
    }
    assert figures["hit_rate_at_12"] == dict.fromkeys(figures["map_at_12"], pytest.approx(2 / 3))


def test_average_precisions_of_every_customer_by_hand(evaluated, figures):
    precisions = evaluated[1]
    assert precisions["customer"].to_list() == [1, 2, 3]
    assert precisions["best_sellers"].to_list() == [0.25, 0, 1]
    assert precisions["ranker"].to_list() == [pytest.approx(7 / 12), 0, 1]
    assert precisions["segment"].to_list() == ["active", "lapsed", "new"]
    assert precisions.columns[2:] == list(figures["map_at_12"])


def test_intervals_are_of_the_buyers(figures):
    # Of three customers some draws take one alone.
    assert figures["map_at_12_interval"]["ranker"] == (0, 1)
    assert list(figures["map_at_12_interval"]) == list(figures["map_at_12"])


def test_segments_part_the_buyers_by_when_they_last_bought(figures):
    segments = figures["segments"]
    assert {name: part["customers"] for name, part in segments.items()} == {"active": 1, "lapsed": 1, "new": 1}
    assert {name: part["map_at_12"]["ranker"] for name, part in segments.items()} == {
        "active": pytest.approx(7 / 12),
        "lapsed": 0,
        "new": 1,
    }


def test_ages_part_the_purchases_by_when_their_articles_were_first_sold(figures):
    ages = figures["ages"]
    # 20 and 21 were first sold the day before, 10 28 days ago, 40 never.
    assert {age: (each["bought"], each["articles"], each["customers"]) for age, each in ages.items()} == {
        "never sold": (1, 1, 1),
        "under 1 week": (2, 2, 2),
        "older": (1, 1, 1),
    }
    # `ranker` lists 20, 21 and 10 for 1, and 20 first for 3.
    assert {age: each["map_at_12"]["ranker"] for age, each in ages.items()} == {
        "never sold": 0,
        "under 1 week": (1 / 2 + 1) / 2,
        "older": 1 / 3,
    }
    recalls = {age: each["recall"] for age, each in figures["retrievers"]["top"]["ages"].items()}
    assert recalls == {"never sold": 0, "under 1 week": 1, "older": 0}


def test_coverage_is_of_what_sold_in_the_last_four_weeks(figures):
    # On sale: 10 (28 days ago) and 20..31; 11 sold 29 days ago. Popular shows 20..31; the others 10 and, because
    # customer 3 has no own articles, all of 20..31.
    assert figures["coverage"]["best_sellers"] == pytest.approx(12 / 13)
    assert figures["coverage"]["order"] == 1


def test_they_are_json(figures):
    read = json.loads(json.dumps(figures))
    assert read.pop("map_at_12_interval") == {m: list(pair) for m, pair in figures.pop("map_at_12_interval").items()}
    assert read == figures
