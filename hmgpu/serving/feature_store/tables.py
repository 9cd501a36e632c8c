"""Compute what features say of each article and of each customer before a week, in tables with the retailer's ids.

They are the columns that candidates get, by the same call. Families that describe a pair of both have no place in them.
"""

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import polars as pl

from hmgpu.core.errors import ConfigError
from hmgpu.data.weeks import Week, date_of
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.feature import Feature
from hmgpu.pipeline.context import StepContext
from hmgpu.pipeline.describe import bytes_a_candidate, columns_of
from hmgpu.pipeline.families import Family, families, feature_step
from hmgpu.pipeline.ids import Ids
from hmgpu.pipeline.learn import cut_out

TIME = "event_timestamp"
TYPES: dict[str, pl.DataType] = {
    "Bool": pl.Boolean(),
    "Int32": pl.Int32(),
    "Int64": pl.Int64(),
    "Float32": pl.Float32(),
    "Float64": pl.Float64(),
    "String": pl.String(),
}
"""What columns are stored as, by Feast's name of it; smaller integers take the next larger type."""


@dataclass(frozen=True)
class View:
    """One feature family that describes articles, or customers, by themselves."""

    name: str
    """The family's name in the config."""
    entity: str
    """`article` or `customer`."""
    says: str
    """What it holds, in a sentence."""
    columns: dict[str, str]
    """Feast's name of each column's type."""


class WeekOfFeatures:
    """The views of one week, computed from what was known before it."""

    def __init__(self, context: StepContext, week: Week) -> None:
        self.context, self.week = context, week
        self.history = context.store.as_of(week.first_day)
        self._learned = context.learning.learn(
            week, {feature_step(name): part for name, part in context.features.items()}
        )

    @cached_property
    def views(self) -> list[View]:
        """Return the views, in the order of the config; raises ConfigError for a column that Feast can't hold."""
        found = list[View]()
        pair = self._customers.head(1).join(self._articles.head(1), how="cross")
        for family in self._families(self._customers.head(1), self.context.features):
            columns = family.compute(pair.lazy()).collect_schema()
            keys = [key for key in KEYS if key in columns]
            if len(keys) != 1:
                continue
            name = family.name.removeprefix("features.")
            says = (type(family.part).__doc__ or name).partition("\n")[0]
            types = {column: _type(name, column, kind) for column, kind in columns.items() if column not in keys}
            found.append(View(name, keys[0], says, types))
        return found

    def tables(self) -> Iterator[tuple[View, pl.DataFrame]]:
        """Yield (<entity>_id, event_timestamp, columns) of each view of articles, and of each of a shard of customers.

        Every article and customer known has a row, of nulls where the family says nothing: in its place, Feast would
        give what was said a week ago.
        """
        of = {key: [view for view in self.views if view.entity == key] for key in KEYS}
        yield from self._computed(of["article"], self._customers.head(1), self._articles)
        if of["customer"]:
            width = partial(bytes_a_candidate, self.context, self.week, self._learned, self._customers)
            for shard in self.context.shards_of(self._customers, width):
                yield from self._computed(of["customer"], shard.customers, self._articles.head(1))

    @cached_property
    def _articles(self) -> pl.DataFrame:
        return self.context.engine.collect(self.history.articles.select("article").sort("article"))

    @cached_property
    def _customers(self) -> pl.DataFrame:
        return self.context.engine.collect(self.history.customers.select("customer").sort("customer"))

    def _computed(
        self, views: list[View], customers: pl.DataFrame, articles: pl.DataFrame
    ) -> Iterator[tuple[View, pl.DataFrame]]:
        engine, store = self.context.engine, self.context.store
        pairs = customers.join(articles, how="cross")
        moment = datetime.datetime.combine(date_of(self.week.first_day), datetime.time(), datetime.UTC)
        parts = {view.name: self.context.features[view.name] for view in views}
        for view, family in zip(views, self._families(customers, parts), strict=True):
            columns = columns_of(pairs, family.compute(pairs.lazy()), family.name, engine)
            types = [pl.col(name).cast(TYPES[kind]) for name, kind in view.columns.items()]
            keyed = pairs.select(view.entity).hstack(columns.select(types))
            key = f"{view.entity}_id"
            named = Ids(store, engine).named(keyed)
            yield view, named.select(key, pl.lit(moment, pl.Datetime("us", "UTC")).alias(TIME), pl.exclude(key))

    def _families(self, customers: pl.DataFrame, features: Mapping[str, Feature]) -> Iterator[Family]:
        """Yield the families `features`, which know of `customers`."""
        learning = self.context.learning
        audience = cut_out(self.history.of(customers), self.context.engine)
        parts = {feature_step(name): part for name, part in features.items()}
        tables = learning.learn_customers(self.week, parts, self._learned, audience)
        bound = {name: learning.bind(part) for name, part in features.items()}
        return families({}, bound, self.context.early, tables)


def _type(feature: str, column: str, kind: pl.DataType) -> str:
    """Return Feast's name of the smallest type that holds `kind`; raises ConfigError where there is none."""
    if kind.is_integer():
        return "Int32" if kind in (pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16) else "Int64"
    for name, stored in TYPES.items():
        if kind == stored:
            return name
    raise ConfigError(f"The column '{column}' of features.{feature} is {kind}, which Feast can't hold: leave it out.")
