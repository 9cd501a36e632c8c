"""The contracts that hmgpu ships: they pass for a sound part, and each notices the fault that it is there for."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import hmgpu
from hmgpu.core.plans import top_n
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.part import Learned
from hmgpu.parts.rankers.order import Order
from hmgpu.parts.rankers.xgboost import XGBoost
from hmgpu.testing import (
    FeatureContract,
    NegativeSamplerContract,
    RankerContract,
    RetrieverContract,
    contract_data,
)
from hmgpu.testing.asking import CPU


class Bestsellers(hmgpu.Retriever):
    """The best sellers of the last days."""

    days: int = 7
    """How far back sales count."""

    def learn(self, history: hmgpu.History) -> Learned:
        sold = history.last(self.days).group_by("article").agg(score=pl.len())
        return {"best": top_n(sold, self.n, by=())}

    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        return customers.join(learned["best"], how="cross").select("customer", "article", "score", "rank")


class Age(hmgpu.Feature):
    """How long ago an article was first sold."""

    def learn(self, history: hmgpu.History) -> Learned:
        return {"ages": history.articles.select("article", age=history.cutoff - pl.col("first_day"))}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return pairs.select(*KEYS).join(learned["ages"], on="article", how="left", maintain_order="left")


def test_the_data_has_articles_that_nobody_bought_and_some_that_are_still_to_come():
    """A part that can't place an article without a sale, or sees one before its launch, is found out."""
    data = contract_data()
    sold = data.history.transactions.select("article")
    unsold = CPU.collect(data.history.articles.join(sold, on="article", how="anti"))
    assert (unsold["first_day"] == data.cutoff).any()
    assert unsold["first_day"].max() == data.cutoff
    later = [
        CPU.collect(store.articles().filter(pl.col("launched") > data.cutoff))
        for store in (data.store, data.other_store)
    ]
    assert (later[0].height > 0, later[1].height) == (True, 0)


class TestRetriever(RetrieverContract):
    part = Bestsellers(n=12)


class TestFeature(FeatureContract):
    part = Age  # the class stands for the part with its defaults


class TestNegativeSampler(NegativeSamplerContract):
    @pytest.fixture
    def part(self) -> hmgpu.NegativeSampler:
        from hmgpu.parts.negatives.on_sale import OnSale

        return OnSale(n=5)


class TestRanker(RankerContract):
    part = XGBoost(rounds=8)


class TestRankerWithoutModel(RankerContract):
    part = Order()


# --- what each notices -----------------------------------------------------------------------------------------------


class TooMany(Bestsellers):
    """More than n."""

    def learn(self, history: hmgpu.History) -> Learned:
        return Bestsellers(n=40).learn(history)


class OfTheRows(Bestsellers):
    """What is bought in the first rows."""

    def learn(self, history: hmgpu.History) -> Learned:
        sold = history.transactions.head(3000).group_by("article").agg(score=pl.len())
        return {"best": top_n(sold, self.n, by=())}


class Unordered(Bestsellers):
    """Ranks from 2."""

    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        return super().retrieve(learned, customers).with_columns(rank=pl.col("rank") + 1)


class Unexplained(hmgpu.Feature):
    """Prices, though a retailer may have none, by the customer's place among all."""

    days: int = 3

    def learn(self, history: hmgpu.History) -> Learned:
        return {"last": history.last(self.days).group_by("customer").agg(price=pl.col("price").max())}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        keys = pairs.select("customer", "article", place=pl.int_range(pl.len()))
        return keys.join(learned["last"], on="customer", how="left", maintain_order="left")


@pytest.mark.parametrize(
    ("contract", "part", "test"),
    [
        (RetrieverContract, TooMany(n=3), "n_bounds_the_candidates"),
        (RetrieverContract, OfTheRows(), "the_order_of_rows_changes_no_byte"),
        (RetrieverContract, Unordered(), "candidates_keep_the_contract"),
        (FeatureContract, Unexplained(), "settings_are_explained_frozen_and_checked"),
        (FeatureContract, Unexplained(), "what_is_learned_of_a_customer_depends_on_no_other"),
        (FeatureContract, Unexplained(), "what_is_said_of_a_candidate_depends_on_others_only_where_the_family_says_so"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_fault_is_noticed(contract: type, part: hmgpu.Retriever | hmgpu.Feature, test: str) -> None:
    arguments = [part] if test.startswith("settings") else [part, contract_data()]
    with pytest.raises(AssertionError):
        getattr(contract(), f"test_{test}")(*arguments)


def test_columns_that_may_be_absent_are_missed() -> None:
    with pytest.raises(pl.exceptions.ColumnNotFoundError, match="price"):
        FeatureContract().test_it_needs_no_more_than_it_says(Unexplained(), contract_data())


OUTSIDE = '''
import polars as pl
import hmgpu
from hmgpu.testing import FeatureContract

class Age(hmgpu.Feature):
    """Whether the article's key is even."""

    days: int = 3

    def compute(self, learned, pairs):
        return pairs.select("customer", "article", even=1 - pl.col("article") % 2)

class TestAge(FeatureContract):
    part = Age()
'''


def test_they_work_in_any_project(tmp_path: Path) -> None:
    """In a folder of its own, with nothing of tests/ and no settings of pytest; a failed assert says what was found."""
    (tmp_path / "test_it.py").write_text(OUTSIDE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert "1 failed, 11 passed" in done.stdout, done.stdout + done.stderr
    assert "settings of age without a docstring below them" in done.stdout
    assert "assert ['days'] == []" in done.stdout


def test_the_other_future_is_another() -> None:
    """Else no contract could notice that a part looks ahead."""
    data = contract_data()
    week, stores = data.store.last_complete_week, (data.store, data.other_store)
    mine, others = (CPU.collect(store.sold_in(week).sort(KEYS)) for store in stores)
    assert mine.height > 50
    assert not mine.equals(others)
    later = [CPU.collect(store.as_of(data.cutoff + 7).articles.sort("article")) for store in stores]
    assert not later[0].equals(later[1])
    for of in ("pictures", "text"):
        seen = [CPU.collect(store.as_of(data.cutoff + 7).vectors_of(of).sort("article")) for store in stores]
        assert not seen[0].equals(seen[1])


def test_the_same_history_in_another_order() -> None:
    data = contract_data()
    for table in ("transactions", "articles", "customers"):
        one, another = (CPU.collect(getattr(history, table)) for history in (data.history, data.shuffled))
        assert not one.equals(another)
        assert one.sort(pl.all()).equals(another.sort(pl.all()))
