"""Everybody's lists of a finished run in memory: at H&M's size 80 bytes of ids and 56 of lists a customer."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from hmgpu.core.parquet import read_table, scan_table
from hmgpu.pipeline.served_tables import ARTICLES, BEST_SELLERS, RECOMMENDATIONS, ROW_GROUP
from hmgpu.serving.finished_run import FinishedRun


@dataclass(frozen=True)
class HeldLists:
    """The lists of all customers, found by a binary search."""

    ids: pl.Series
    """The customers' ids, sorted."""
    customers: npt.NDArray[np.int32]
    """Their keys, in the order of `ids`."""
    articles: npt.NDArray[np.int32]
    """(customers, k): the places of their articles in `article_ids`."""
    article_ids: pl.Series
    best_sellers: tuple[str, ...]
    """The list of a customer whom the run doesn't know."""

    @classmethod
    def read(cls, run: FinishedRun) -> "HeldLists":
        """Read the lists of `run`, some at a time: as text they take five times the memory.

        Raises RunError where a file of the run was changed.
        """
        file = run.submitted.file(RECOMMENDATIONS)
        article_ids = read_table(run.submitted.file(ARTICLES)).sort("article")["article_id"]
        best = read_table(run.submitted.file(BEST_SELLERS)).sort("rank")["article_id"]
        plan, known = scan_table(file), pl.Enum(article_ids)
        height = plan.select(pl.len()).collect().item()
        ids = plan.select("customer_id").collect()["customer_id"].rechunk()
        customers, articles = np.empty(height, np.int32), np.empty((height, len(best)), np.int32)
        for start in range(0, height, ROW_GROUP):
            some = plan.slice(start, ROW_GROUP).select("customer", pl.col("articles").cast(pl.List(known))).collect()
            here = slice(start, start + some.height)
            customers[here] = some["customer"].to_numpy()
            articles[here] = some["articles"].explode().to_physical().to_numpy().reshape(some.height, -1)
        return cls(ids, customers, articles, article_ids, tuple(best))

    @property
    def k(self) -> int:
        """The number of articles in a list."""
        return len(self.best_sellers)

    def place(self, customer_id: str) -> int | None:
        """Return the row of a customer, None if the run doesn't know them."""
        place = int(self.ids.search_sorted(customer_id))
        return place if place < len(self.ids) and self.ids[place] == customer_id else None

    def key(self, customer_id: str) -> int | None:
        """Return the customer's key in the run's tables, None if the run doesn't know them."""
        place = self.place(customer_id)
        return None if place is None else int(self.customers[place])

    def of(self, customer_id: str, k: int, exclude: Collection[str] = ()) -> tuple[list[str], bool]:
        """Return the `k` best articles of a customer without those to `exclude`, and whether the run knows them.

        Unknown customers get the best sellers, which also fill up a list that the exclusions leave too short.
        """
        place = self.place(customer_id)
        own = [] if place is None else self.article_ids.gather(self.articles[place]).to_list()
        allowed = dict.fromkeys(article for article in (*own, *self.best_sellers) if article not in exclude)
        return list(allowed)[:k], place is not None
