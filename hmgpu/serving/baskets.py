"""Lists for baskets: purchases that the run has not seen, described and ranked as the run described everybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Any

import polars as pl

from hmgpu.core.errors import DataError
from hmgpu.data.ingest.contract import LARGEST
from hmgpu.data.store import History
from hmgpu.data.tables import CUSTOMERS, DTYPES
from hmgpu.data.weeks import date_of, day_number
from hmgpu.pipeline.explain import Facts, Reason, reasons_of
from hmgpu.pipeline.reasons import Pair
from hmgpu.serving.held_lists import HeldLists
from hmgpu.serving.learned_run import ENGINE, LearnedRun

MOST = 1_000  # units in a basket


@dataclass(frozen=True)
class Purchase:
    """Units of an article that somebody bought."""

    article_id: str
    day: date | None = None
    """None is the last day that the run knows; a later one counts as that day."""
    price: float | None = None
    channel: str | None = None
    units: int = 1


@dataclass(frozen=True)
class Basket:
    """What one customer bought, all of it."""

    purchases: Sequence[Purchase]
    customer_id: str | None = None
    """A customer of the run, whose attributes count; None, or one that it doesn't know, has those of `profile`."""
    profile: Mapping[str, Any] = field(default_factory=dict)
    """Attributes of an unknown customer, by the columns' names inside hmgpu, in the retailer's own values."""
    exclude: frozenset[str] = frozenset()
    """Articles that the list must not hold."""
    explain: bool = False
    """Whether the list comes with its reasons."""


@dataclass(frozen=True)
class BasketAnswer:
    """The list for a basket."""

    articles: list[str]
    unknown_articles: list[str]
    """Those of the basket that the run doesn't know, which count for nothing."""
    reasons: list[Reason]
    """Why each article is on the list, if that was asked for."""


@dataclass(frozen=True)
class Baskets:
    """A run that recommends to whoever a basket describes."""

    run: LearnedRun
    lists: HeldLists

    @cached_property
    def articles(self) -> dict[str, int]:
        """The keys of the articles that the run knows, by their ids."""
        known = self.run.history.articles.select("article_id", "article").collect()
        return dict(known.iter_rows())

    @cached_property
    def _customers(self) -> pl.DataFrame:
        """The attributes of all customers, sorted by key; their ids are in `lists` already."""
        plan = self.run.history.customers
        kept = [name for name in plan.collect_schema().names() if name != "customer_id"]
        return plan.select(kept).sort("customer").collect()

    @cached_property
    def _codes(self) -> dict[tuple[str, str], int]:
        rows = self.run.context.store.codes().collect().iter_rows()
        names = {column.name for column in CUSTOMERS}
        return {(column, value): code for column, code, value in rows if column in names}

    @cached_property
    def _unit(self) -> Fraction:
        return Fraction(str(self.run.context.store.manifest.settings["price_unit"]))

    @cached_property
    def _channels(self) -> dict[str, int]:
        named: Any = self.run.context.store.manifest.settings["channels"]
        return {str(channel): place for place, channel in enumerate(named)}

    def warm(self) -> None:
        """Load what the first basket would have to wait for."""
        self._customers, self._codes  # noqa: B018 (computed once)
        self.recommend(
            [Basket([Purchase(next(iter(self.articles)), price=0.0, channel=next(iter(self._channels), None))])]
        )

    def key(self, basket: Basket) -> int | None:
        """Return the key of a basket's customer, None if the run doesn't know them."""
        return None if basket.customer_id is None else self.lists.key(basket.customer_id)

    def check(self, basket: Basket) -> None:
        """Raise DataError where a purchase or an attribute is not what it must be."""
        if sum(purchase.units for purchase in basket.purchases) > MOST:
            raise DataError(f"The basket has more than {MOST:,} units: send the latest ones.")
        for place, purchase in enumerate(basket.purchases):
            self._row(0, purchase, place)
        self._attributes(basket)

    def recommend(self, baskets: Sequence[Basket]) -> list[BasketAnswer]:
        """Return the list of each of `baskets`, computed in one pass; a customer of the run may be among them once.

        Raises DataError where a purchase is not what it must be.
        """
        new = int(self.lists.customers.max(initial=-1)) + 1
        keys = [new + place if (key := self.key(each)) is None else key for place, each in enumerate(baskets)]
        history = self._history(keys, baskets)
        customers = pl.DataFrame({"customer": sorted(keys)}, schema={"customer": pl.Int32})
        more = max((len(basket.exclude) for basket in baskets), default=0)
        explained = [key for key, basket in zip(keys, baskets, strict=True) if basket.explain]
        found, facts = self.run.lists(history, customers, more, explained)
        by_key = {key: group for (key,), group in found.sort("rank").partition_by("customer", as_dict=True).items()}
        empty = found.clear()
        return [self._answer(basket, by_key.get(key, empty), facts) for key, basket in zip(keys, baskets, strict=True)]

    def _answer(self, basket: Basket, listed: pl.DataFrame, facts: Mapping[Pair, Facts]) -> BasketAnswer:
        allowed = self._named(listed).filter(~pl.col("article_id").is_in(list(basket.exclude))).head(self.run.context.k)
        bought = dict.fromkeys(each.article_id for each in basket.purchases)
        unknown = [id_ for id_ in bought if id_ not in self.articles]
        return BasketAnswer(
            allowed["article_id"].to_list(), unknown, _reasons(allowed, facts) if basket.explain else []
        )

    def explain(self, customer_id: str) -> list[Reason]:
        """Return why each article is on the list of a customer, from all that they bought in the data set.

        Somebody whom the run doesn't know gets the best sellers.
        """
        key = self.lists.key(customer_id)
        if key is None:
            best = pl.DataFrame({"article_id": self.lists.best_sellers}).with_row_index("rank", 1)
            keys = pl.Series([self.articles[id_] for id_ in self.lists.best_sellers], dtype=pl.Int32)
            return _reasons(best.with_columns(article=keys, customer=pl.lit(-1, pl.Int32)), {})
        known, own = self.run.history, pl.col("customer") == key
        returned = known.with_returned
        history = replace(
            known,
            transactions=ENGINE.collect(known.transactions.filter(own)).lazy(),
            with_returned=None if returned is None else ENGINE.collect(returned.filter(own)).lazy(),
            customers=self._profile(key, Basket([])).lazy(),
        )
        customers = pl.DataFrame({"customer": [key]}, schema={"customer": pl.Int32})
        found, facts = self.run.lists(history, customers, explained=[key])
        return _reasons(self._named(found.sort("rank")), facts)

    def _named(self, listed: pl.DataFrame) -> pl.DataFrame:
        """Add `article_id` to `listed` (article, …)."""
        return listed.with_columns(article_id=self.lists.article_ids.gather(listed["article"]))

    def _history(self, keys: Sequence[int], baskets: Sequence[Basket]) -> History:
        """Return what is known of the customers of `baskets`, whose keys are `keys`: what the baskets say."""
        known = self.run.history
        rows = [
            row
            for key, basket in zip(keys, baskets, strict=True)
            for place, purchase in enumerate(basket.purchases)
            if purchase.article_id in self.articles
            for row in [self._row(key, purchase, place)] * purchase.units
        ]
        schema = known.transactions.collect_schema()
        bought = pl.DataFrame(rows, schema=schema, orient="row").sort("day", "customer", "article")
        profiles = [self._profile(key, basket) for key, basket in zip(keys, baskets, strict=True)]
        people = pl.concat(profiles).sort("customer")
        returned = known.with_returned
        if returned is not None:
            returned = bought.select(
                pl.col(name) if name in bought.columns else pl.lit(None, dtype).alias(name)
                for name, dtype in returned.collect_schema().items()
            ).lazy()
        return replace(known, transactions=bought.lazy(), customers=people.lazy(), with_returned=returned)

    def _row(self, customer: int, purchase: Purchase, place: int) -> tuple[Any, ...]:
        """Return the purchase as a row of transactions."""
        where, last = f"purchases[{place}]", self.run.history.cutoff - 1
        row = [
            last if purchase.day is None else min(day_number(purchase.day), last),
            customer,
            self.articles.get(purchase.article_id),
        ]
        if self.run.history.has("price"):
            row.append(self._price(purchase, where))
        if self.run.history.has("channel"):
            channel = self._channels.get(str(purchase.channel))
            if channel is None:
                raise DataError(f"{where}.channel is '{purchase.channel}': give one of {', '.join(self._channels)}.")
            row.append(channel)
        return tuple(row)

    def _price(self, purchase: Purchase, where: str) -> int:
        if purchase.price is None:
            raise DataError(
                f"{where} has no price, by which the run describes customers: give what was paid for a unit."
            )
        exact = purchase.price * self._unit.denominator / self._unit.numerator
        units = int(exact + 0.5)  # half away from zero, as ingest rounds
        if not 0 <= units <= LARGEST:
            raise DataError(f"{where}.price is {purchase.price}, which is not a price.")
        return units

    def _profile(self, key: int, basket: Basket) -> pl.DataFrame:
        """Return the row of a customer in the customer table; one that the run doesn't know has what `profile` says."""
        table = self._customers
        schema = self.run.history.customers.collect_schema()
        place = table["customer"].search_sorted(key)
        if place < table.height and table["customer"][place] == key:
            row = table.slice(place, 1)
        else:
            row = pl.DataFrame({"customer": [key], **self._attributes(basket)}, schema_overrides={"customer": pl.Int32})
        return row.select(
            pl.col(name).cast(dtype) if name in row.columns else pl.lit(None, dtype).alias(name)
            for name, dtype in schema.items()
        )

    def _attributes(self, basket: Basket) -> dict[str, list[Any]]:
        """Return the columns that the basket's profile gives."""
        has = self.run.history.has
        there = {each.name: each for each in CUSTOMERS if not each.required and has(each.name)}
        found: dict[str, list[Any]] = {}
        for name, value in basket.profile.items():
            if name not in there:
                raise DataError(
                    f"profile.{name} is not an attribute of this run's customers: there are {', '.join(there)}."
                )
            column = there[name]
            if column.kind == "code":
                found[name] = [self._codes.get((name, str(value)))]
                continue
            try:
                found[name] = pl.Series([None if value is None else int(value)], dtype=DTYPES[column.kind]).to_list()
            except (TypeError, ValueError, OverflowError):
                raise DataError(f"profile.{name} is '{value}': give a whole number.") from None
        return found

    @property
    def last_day(self) -> date:
        """The last day that the run knows."""
        return date_of(self.run.history.cutoff - 1)


def _reasons(listed: pl.DataFrame, facts: Mapping[Pair, Facts]) -> list[Reason]:
    """Return the reason of each row of `listed` (customer, article, rank, article_id)."""
    named = listed.with_columns(customer_id=pl.col("customer").cast(pl.String))
    return reasons_of(named, dict(named.select("customer_id", "customer").iter_rows()), facts)
