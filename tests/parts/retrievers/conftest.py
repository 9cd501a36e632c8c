"""Synthetic purchases of customers with tastes, which retrievers should find."""

import random
from collections.abc import Callable

import polars as pl
import pytest
import tastes
from kit import bound, learned

from hmgpu.core.engine import Engine
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


@pytest.fixture(scope="module")
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    """Return the retriever that a file of tests calls `TASTE`, trained on customers of eight tastes."""
    return tastes.trained(request.module.TASTE, tastes.tastes()[0], tmp_path_factory.mktemp("model"))


@pytest.fixture
def tasteful(purchases: Purchases, make_history) -> History:
    """Return what was known before the week ahead."""
    return make_history([row for row in purchases if row[0] > 0])


@pytest.fixture
def hit(purchases: Purchases, tasteful: History) -> Callable[[Retriever], pl.Series]:
    """Return a function: for each purchase of the week ahead, whether it is among a retriever's 15 candidates."""

    def found(part: Retriever) -> pl.Series:
        labels = _ahead(purchases)
        asked = labels.lazy().select("customer").unique()
        bound_part = bound(part, tasteful, CPU)
        candidates = CPU.collect(bound_part.retrieve(learned(bound_part, tasteful, CPU), asked))
        rows = labels.join(candidates.with_columns(hit=True), on=["customer", "article"], how="left")
        return rows.sort("customer", "article")["hit"].fill_null(False).cast(pl.Float64)

    return found


@pytest.fixture
def times_popular(hit: Callable[[Retriever], pl.Series]) -> Callable[[Retriever], float]:
    """Return a function: a retriever's recall of the week ahead, relative to best sellers', 15 candidates each."""

    def ratio(part: Retriever) -> float:
        own, popular = hit(part).mean(), hit(Popular(n=15)).mean()
        assert popular > 0
        return own / popular

    return ratio


@pytest.fixture(params=["library", "torch"])
def fitted_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Fit as the CPU does, by a library, and as a GPU does, by torch: here on the CPU."""
    if request.param == "torch":
        monkeypatch.setattr(Engine, "either", lambda engine, cpu, gpu: gpu)
    return request.param


def _ahead(purchases: Purchases) -> pl.DataFrame:
    """Return (customer, article) of the week ahead, each once."""
    ahead = [(customer, article) for ago, customer, article in purchases if ago <= 0]
    return pl.DataFrame(ahead, schema={"customer": pl.Int32, "article": pl.Int32}, orient="row").unique()
