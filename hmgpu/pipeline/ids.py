"""The retailer's own ids, which people use, and the keys that tables inside hmgpu have in their place."""

from collections.abc import Sequence

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.data.store import Store
from hmgpu.parts.candidates import KEYS

IDS = ("customer_id", "article_id")


class Ids:
    """The ids of one data set."""

    def __init__(self, store: Store, engine: Engine) -> None:
        self.store, self.engine = store, engine

    def all_customers(self) -> pl.DataFrame:
        """(customer_id, customer) of every customer, sorted by key."""
        return self.engine.collect(self.store.customer_ids().select("customer_id", "customer").sort("customer"))

    def customers(self, asked: Sequence[str]) -> pl.DataFrame:
        """(customer_id, customer) of the ids `asked`, in their order; the key is null where an id is not known."""
        ids = pl.LazyFrame({"customer_id": asked}, schema={"customer_id": pl.String})
        known = self.store.customer_ids().join(ids, on="customer_id", how="semi")
        found = ids.collect().join(self.engine.collect(known), on="customer_id", how="left", maintain_order="left")
        return found.select("customer_id", "customer")

    def known_customers(self, asked: Sequence[str]) -> pl.DataFrame:
        """(customer_id, customer) of the ids `asked`. Raises DataError that names the first unknown one."""
        found = self.customers(asked)
        self._refuse_unknown(found, "customer")
        return found

    def pairs(self, asked: pl.DataFrame) -> pl.DataFrame:
        """(customer_id, article_id, customer, article) of each row of `asked` (customer_id, article_id, …).

        Raises DataError where a column is missing or an id is not known; it names the first one.
        """
        missing = [name for name in IDS if name not in asked.columns]
        if missing:
            raise DataError(f"The pairs have no column {missing[0]}: give a frame of {' and '.join(IDS)}.")
        found = asked.select(pl.col(name).cast(pl.String) for name in IDS)
        plans = self.store.customer_ids(), self.store.article_ids()
        for (key, name), plan in zip(zip(KEYS, IDS, strict=True), plans, strict=True):
            wanted = found.lazy().select(name).unique()
            ids = self.engine.collect(plan.join(wanted, on=name, how="semi"))
            found = found.join(ids, on=name, how="left", maintain_order="left")
            self._refuse_unknown(found, key)
        return found.select(*IDS, *KEYS)

    def named(self, table: pl.DataFrame) -> pl.DataFrame:
        """`table` in its order, with ids as text in the place of the keys `customer` and `article` that it has."""
        found = table
        for key, plan in zip(KEYS, (self.store.customer_ids(), self.store.article_ids()), strict=True):
            if key in table.columns:
                wanted = table.lazy().select(key).unique()
                ids = self.engine.collect(plan.join(wanted, on=key, how="semi"))
                found = found.join(ids, on=key, how="left", maintain_order="left")
        keys = [name for key, name in zip(KEYS, IDS, strict=True) if key in table.columns]
        return found.select(*keys, *(name for name in table.columns if name not in KEYS))

    def _refuse_unknown(self, found: pl.DataFrame, key: str) -> None:
        unknown = found.filter(pl.col(key).is_null())[f"{key}_id"]
        if len(unknown):
            raise DataError(
                f"{key}_id '{unknown[0]}' is not in the data set {self.store.root}: ids are text as the {key}s file "
                "has them, leading zeros and all."
            )
