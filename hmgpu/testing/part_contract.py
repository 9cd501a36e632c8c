"""What retrievers and features alike must keep, as pytest's test methods."""

import dataclasses
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import polars as pl
import pytest

from hmgpu.data.store import History
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.part import Learned, Learner, Part, Trained
from hmgpu.pipeline.learn import with_customers
from hmgpu.testing.asking import CPU, bound, digests, kept, learned, learning, once, plans_of
from hmgpu.testing.contract_data import ContractData, contract_data
from hmgpu.testing.settings import check_settings
from hmgpu.testing.translation import untranslated

ALWAYS = frozenset({"customer", "article", "day", "first_day", "article_id", "customer_id"})
"""The columns that every retailer has."""

NEW = pl.lit(2**30, dtype=pl.Int32)
"""The key of somebody who isn't in the history."""


class GivenPart:
    """A class of tests about the part that its subclass names: `part = Mine()`, or a fixture `part`."""

    part: ClassVar[Any]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        given = vars(cls).get("part")
        if isinstance(given, type) and issubclass(given, Part):
            given = given()
        if isinstance(given, Part):
            cls.part = pytest.fixture(_returning(given))

    @pytest.fixture
    def data(self) -> ContractData:
        """What the part is tried on; override this fixture to try it on other data."""
        return contract_data()

    def test_settings_are_explained_frozen_and_checked(self, part: Part) -> None:
        check_settings(part)


def _returning(part: Part) -> Callable[[Any], Part]:
    def given(self: Any) -> Part:
        return part

    return given


class LearnerContract(GivenPart):
    """What is the same of retrievers and features."""

    @abstractmethod
    def results(self, part: Any, learned: Learned, data: ContractData) -> pl.LazyFrame:
        """What the part finds for `data.customers`, or says of `data.pairs`."""

    def test_what_is_learned_of_a_customer_depends_on_no_other(self, part: Learner, data: ContractData) -> None:
        """Nor on the size of the shard; and nothing that is learned for everybody is about customers."""
        part = bound(part, data.history)
        known = {name: CPU.collect(plan).lazy() for name, plan in learning(part, data.history).items()}
        assert [name for name, table in known.items() if "customer" in table.collect_schema()] == []
        everybody = part.learn_customers(known, data.history)
        assert [name for name, table in everybody.items() if "customer" not in table.collect_schema()] == []
        of_some = part.learn_customers(known, data.history.of(data.customers))
        expected = {name: table.join(data.customers, on="customer", how="semi") for name, table in everybody.items()}
        assert digests(of_some) == digests(expected)

    def test_every_plan_translates_to_cudf(self, part: Learner, data: ContractData) -> None:
        part = bound(part, data.history)
        for name, plan in plans_of(part, data.history).items():
            assert untranslated(plan.sort(plan.collect_schema().names())) == [], name
        assert untranslated(self.results(part, learned(part, data.history), data)) == []

    def test_a_basket_may_hold_what_nobody_bought(self, part: Learner, data: ContractData) -> None:
        """A service asks for somebody who isn't in the history, and bought one of each article that is known."""
        part, history = bound(part, data.history), data.history
        bought = history.transactions.head(1).drop("article").join(history.articles.select("article"), how="cross")
        one = CPU.collect(bought.with_columns(customer=NEW, day=pl.lit(history.cutoff - 1, dtype=pl.Int32)))
        customers = pl.LazyFrame({"customer": [2**30]}, schema={"customer": pl.Int32})
        audience = dataclasses.replace(
            history,
            transactions=one.select(history.transactions.collect_schema().names()).lazy(),
            customers=customers.join(history.customers, on="customer", how="left"),
        )
        pairs = CPU.collect(data.pairs.with_columns(customer=NEW).unique(KEYS).sort(KEYS)).lazy()
        asked = dataclasses.replace(data, customers=customers, pairs=pairs)
        tables = with_customers(part, learned(part, history), audience, CPU)
        CPU.collect(self.results(part, tables, asked))

    def test_the_future_changes_no_byte(self, part: Learner, data: ContractData) -> None:
        """Nothing that happens at or after the cutoff is seen."""
        assert self._bytes(part, data.history, data) == self._bytes(part, data.other_history, data)

    def test_the_order_of_rows_changes_no_byte(self, part: Learner, data: ContractData) -> None:
        assert self._bytes(part, data.history, data) == self._bytes(part, data.shuffled, data)

    def test_what_a_run_wrote_says_what_was_learned(self, part: Learner, data: ContractData) -> None:
        """A run writes the rows of a table in the order of its columns, so another order must mean nothing.

        Only of networks, whose weights have an order that is easily taken for one of rows.
        """
        if not isinstance(part, Trained):
            return
        part = bound(part, data.history)
        fresh = {name: CPU.collect(plan).lazy() for name, plan in part.learn(data.history).items()}
        own = {name: CPU.collect(plan).lazy() for name, plan in part.learn_customers(fresh, data.history).items()}
        found = digests({"results": self.results(part, fresh | own, data)})
        assert found["results"] == self._bytes(part, data.history, data)["results"]

    def test_it_needs_no_more_than_it_says(self, part: Learner, data: ContractData) -> None:
        """Where only customer, article, day and what `needs` names are there, it works."""
        needs = part.needs()

        def only(plan: pl.LazyFrame) -> pl.LazyFrame:
            return plan.select(name for name in plan.collect_schema().names() if name in ALWAYS | needs)

        def make() -> History:
            return dataclasses.replace(
                data.history,
                transactions=only(data.history.transactions),
                articles=only(data.history.articles),
                customers=only(data.history.customers),
                present=frozenset(needs),
            )

        bare = once(data.history, f"bare {sorted(needs)}", make)
        part = bound(part, bare)
        CPU.collect(self.results(part, learned(part, bare), data))

    def _bytes(self, part: Learner, history: History, data: ContractData) -> dict[str, str]:
        part = bound(part, history)

        def hashed() -> dict[str, str]:
            tables = learned(part, history)
            return digests(tables | {"results": self.results(part, tables, data)})

        return kept(part, history, f"bytes {type(self).results.__qualname__}", hashed)
