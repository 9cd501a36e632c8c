"""Synthetic purchases of customers with tastes, which retrievers should find."""

import random
from collections.abc import Callable

import polars as pl
import pytest
from kit import bound, learned

from hmgpu.core.engine import Engine
from hmgpu.core.metrics import recall_at
from hmgpu.data.store import History
from hmgpu.parts.retriever import Retriever
from hmgpu.parts.retrievers.popular import Popular

CPU = Engine("cpu", "tests")
GROUPS, ARTICLES, CUSTOMERS = 4, 60, 120
Purchases = list[tuple[int, int, int]]


@pytest.fixture(scope="package")
def purchases() -> Purchases:
    """Return (days ago, customer, article): each customer likes a quarter of the catalogue; the last week is ahead."""
    draw = random.Random(1)
    liked = [range(customer % GROUPS, ARTICLES, GROUPS) for customer in range(CUSTOMERS)]
    days = [(ago, customer) for ago in range(-6, 40) for customer in range(CUSTOMERS) if draw.random() < 0.15]
    return [(ago, customer, draw.choice(liked[customer])) for ago, customer in days]


@pytest.fixture
def tasteful(purchases: Purchases, make_history) -> History:
    """Return what was known before the week ahead."""
    return make_history([row for row in purchases if row[0] > 0])


@pytest.fixture
def times_popular(purchases: Purchases, tasteful: History) -> Callable[[Retriever], float]:
    """Return a function: a retriever's recall of the week ahead, relative to best sellers', 15 candidates each."""

    def ratio(part: Retriever) -> float:
        ahead = [(customer, article) for ago, customer, article in purchases if ago <= 0]
        labels = pl.DataFrame(ahead, schema={"customer": pl.Int32, "article": pl.Int32}, orient="row").unique()
        asked = labels.lazy().select("customer").unique()
        parts = [bound(each, tasteful, CPU) for each in (part, Popular(n=15))]
        found = [CPU.collect(each.retrieve(learned(each, tasteful, CPU), asked)) for each in parts]
        own, popular = (recall_at(table, labels, 15) for table in found)
        assert popular > 0
        return own / popular

    return ratio
