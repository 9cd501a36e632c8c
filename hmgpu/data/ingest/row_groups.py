"""How rows lie in the files of a data set: those of neighbouring customers together, in small row groups.

Parquet keeps the least and the largest customer of each row group, so whoever asks for a range of customers reads their
groups alone, however many others there are (docs/scaling.md).
"""

import re
from pathlib import Path

import polars as pl

from hmgpu.core.files import sha256
from hmgpu.data.manifest import DataFile

GROUP = 1 << 15  # smaller groups make reading whole files slower, larger ones a shard's: docs/results/layout.md
WHOLE = 1 << 20  # of tables that are always read whole
RETURNED = "returned"
ORDER = ["day", "customer", "article", "price", "channel", RETURNED]
_NAME = re.compile(r"-([0-9a-f]{8})(?:-[0-9a-f]{8})?\.parquet$")


def near_customers(purchases: pl.DataFrame) -> pl.DataFrame:
    """Return `purchases` (day, customer, article, …) in the order in which a week file holds them.

    Every `GROUP` rows are those of neighbouring customers, and lie in order of days, so that files are about as small
    and as fast to read whole as if all of their rows did. The same rows always give the same order.
    """
    order = [name for name in ORDER if name in purchases.columns]
    by_customer = purchases.select(order).sort("customer", *(name for name in order if name != "customer"))
    return pl.concat([group.sort(order) for group in by_customer.iter_slices(GROUP)])


def write_week(staging: Path, purchases: pl.DataFrame, name: str) -> tuple[str, DataFile]:
    """Write a week's `purchases`, in any order, to the file `name` in `staging`; returns its entry in the manifest."""
    return _written(staging, near_customers(purchases), name, GROUP)


def write_customers(staging: Path, customers: pl.DataFrame, name: str) -> tuple[str, DataFile]:
    """Write the table of `customers`, in the order of their keys, like `write_week`."""
    return _written(staging, customers, name, GROUP)


def write_table(staging: Path, table: pl.DataFrame, name: str) -> tuple[str, DataFile]:
    """Write a `table` that is always read whole, like `write_week`."""
    return _written(staging, table, name, WHOLE)


def renamed(name: str, identity: str) -> str:
    """Return the name of the week file that takes the place of the file `name`: no file is ever overwritten."""
    return _NAME.sub(rf"-\1-{identity}.parquet", name)


def _written(staging: Path, table: pl.DataFrame, name: str, group: int) -> tuple[str, DataFile]:
    path = staging / name
    path.parent.mkdir(parents=True, exist_ok=True)
    table.write_parquet(path, compression="zstd", statistics=True, row_group_size=group)
    return name, DataFile(sha256=sha256(path), rows=table.height)
