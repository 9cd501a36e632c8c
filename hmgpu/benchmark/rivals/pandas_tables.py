"""Read the data set with pandas into memory: the needed columns of the needed days."""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from hmgpu.data.store import Store

ARTICLE, CUSTOMER = "article", "customer"


@dataclass(frozen=True)
class Needs:
    """Columns of each table, in addition to the keys of articles and customers; a table without any is not read."""

    sales: Set[str] = frozenset()
    days: int | None = 0
    """How far back sales are read; None for all."""
    articles: Set[str] = frozenset()
    customers: Set[str] = frozenset()

    def __or__(self, other: "Needs") -> "Needs":
        days = None if self.days is None or other.days is None else max(self.days, other.days)
        return Needs(self.sales | other.sales, days, self.articles | other.articles, self.customers | other.customers)


@dataclass(frozen=True)
class Known:
    """What was known before day `cutoff`, as frames with Parquet's small integers, or float64 with missing numbers."""

    cutoff: int
    asked: Any
    """The customers who are served: an array of their keys."""
    sales: pd.DataFrame
    articles: pd.DataFrame
    customers: pd.DataFrame

    @cached_property
    def own(self) -> pd.DataFrame:
        """Return the sales to the customers who are served."""
        return self.sales[self.sales[CUSTOMER].isin(self.asked)]

    def last(self, days: int, sales: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return the rows of `sales`, or else of all sales, in the last `days` days."""
        given = self.sales if sales is None else sales
        return given[given["day"] >= self.cutoff - days]


def read(store: Store, cutoff: int, asked: Any, needs: Iterable[Needs]) -> Known:
    """Read what all `needs` together ask for, each table once; `asked` are the customers who are served."""
    together = Needs()
    for each in needs:
        together |= each
    sales = articles = customers = pd.DataFrame()
    if together.sales:
        since = 0 if together.days is None else cutoff - together.days
        # Without `partitioning=None` the names of the folders would become a column of their own.
        weeks = store.week_files(since, cutoff - 1)
        sales = pd.read_parquet(weeks, columns=sorted(together.sales), partitioning=None)
        sales = sales[sales["day"].between(since, cutoff - 1)]
    if together.articles:
        columns = [ARTICLE, *sorted(together.articles)]
        appeared = [("first_day", "<", cutoff)]
        articles = pd.read_parquet(store.root / store.manifest.table("articles"), columns=columns, filters=appeared)
    if together.customers:
        columns = [CUSTOMER, *sorted(together.customers)]
        customers = pd.read_parquet(store.root / store.manifest.table("customers"), columns=columns)
    return Known(cutoff, asked, sales, articles, customers)


def read_all(store: Store, cutoff: int) -> Known:
    """Read every column of every table, as it was known at `cutoff`; `asked` is empty."""
    files = store.week_files(0, cutoff - 1)
    sales = pd.read_parquet(files, partitioning=None)
    articles, customers = (
        pd.read_parquet(store.root / store.manifest.table(name)) for name in ("articles", "customers")
    )
    return Known(cutoff, [], sales[sales["day"] < cutoff], articles[articles["first_day"] < cutoff], customers)


def weight_at(age: Any, half_life: float, cutoff: int) -> Any:
    """Return what a purchase `age` days before `cutoff` weighs: halved every `half_life` days.

    Not less than hmgpu's families let it: one step of 2^-31 for the first day of 1970, one more a day. A hundred old
    purchases add up to a thousandth.
    """
    return np.maximum(0.5 ** (age / half_life), (cutoff + 1 - age) / 2**31)
