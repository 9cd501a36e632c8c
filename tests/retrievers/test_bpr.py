"""Bayesian personalised ranking: whose taste it knows, and that the seed alone decides what it learns."""

import dataclasses
import random

import kit
import polars as pl
import pytest

from hmgpu.engine import Engine
from hmgpu.evaluation.metrics import recall_at
from hmgpu.retrievers.bpr import BPR
from hmgpu.retrievers.popular import Popular

CPU = Engine("cpu", "tests")
GROUPS, ARTICLES, CUSTOMERS = 4, 60, 120


@pytest.fixture(scope="module")
def purchases():
    """(days ago, customer, article) of customers who like one quarter of the catalogue each."""
    draw = random.Random(1)
    liked = [range(customer % GROUPS, ARTICLES, GROUPS) for customer in range(CUSTOMERS)]
    days = [(ago, customer) for ago in range(-6, 40) for customer in range(CUSTOMERS) if draw.random() < 0.15]
    return [(ago, customer, draw.choice(liked[customer])) for ago, customer in days]


@pytest.fixture
def history(purchases, make_history):
    return make_history([row for row in purchases if row[0] > 0])


def test_it_finds_what_those_of_the_same_taste_buy(purchases, history):
    labels = pl.DataFrame(
        [(customer, article) for ago, customer, article in purchases if ago <= 0],
        schema={"customer": pl.Int32, "article": pl.Int32},
        orient="row",
    ).unique()
    asked = labels.lazy().select("customer").unique()
    parts = [kit.bench(part, history, CPU) for part in (BPR(n=15, factors=8), Popular(n=15))]
    found = [CPU.collect(part.retrieve(kit.learned(part, history, CPU), asked)) for part in parts]
    bpr, popular = (recall_at(table, labels, 15) for table in found)
    assert bpr > 2 * popular > 0


def test_the_seed_alone_decides_the_vectors(history):
    part = kit.bench(BPR(factors=8), history, CPU)
    parts = [part, part.at(part.bench), part.at(dataclasses.replace(part.bench, seed=part.bench.seed + 1))]
    first, again, other = (kit.learned(each, history, CPU)["articles"].collect() for each in parts)
    assert again.equals(first)
    assert not other.equals(first)


def test_an_article_bought_longer_ago_than_its_days_has_no_vector(make_history):
    part = BPR(factors=2, days=20)
    history = make_history([(21, 0, 1), (20, 0, 2), (20, 1, 2), (1, 1, 3), (1, 2, 3)])
    assert kit.learned(kit.bench(part, history, CPU), history, CPU)["articles"].collect()["article"].to_list() == [2, 3]
    assert kit.proposed(part, make_history([(21, 0, 1)]), CPU, [0]) == {0: []}
