"""Mark purchases that were taken back: of the new rows, and in the week files that are there."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from hmgpu.core.parquet import read_table, scan_table
from hmgpu.data.ingest.absorb import Tables
from hmgpu.data.ingest.returns import PAIR, taken_back
from hmgpu.data.ingest.row_groups import RETURNED, renamed
from hmgpu.data.manifest import DataFile, Manifest
from hmgpu.data.tables import DTYPES
from hmgpu.data.weeks import week_of_file

NONE_BACK = pl.Series([None], dtype=DTYPES["day"])

Write = Callable[[pl.DataFrame, str], tuple[str, DataFile]]


def mark(tables: Tables, root: Path, there: Manifest | None, identity: str, write: Write) -> dict[str, DataFile | None]:
    """Add the column `returned` to the new transactions, and write the week files of purchases that came back again.

    Only purchases of customers and articles with a return are in memory, and one week file at a time. Returns the
    manifest's entries that change: new files, and None for those that they replace.
    """
    new, returns = tables.transactions, tables.returns
    files = _open_purchases(returns, root, there) if there and returns.height else {}
    old = [frame.select(new.columns) for frame in files.values()]
    days = taken_back(pl.concat([*old, new]), returns) if returns.height else NONE_BACK.new_from_index(0, new.height)
    tables.transactions = new.with_columns(days.tail(new.height).alias(RETURNED))
    found, total = days.count(), int(returns["units"].sum())
    tables.left_out["returns, which took back a purchase"] += found
    tables.left_out["returns of what was not bought before"] += total - found
    changed = dict[str, DataFile | None]()
    start = 0
    for name, rows in files.items():
        back = rows.select("line", day_of=days[start : start + rows.height]).drop_nulls()
        start += rows.height
        if back.is_empty():
            continue
        whole = read_table(root / name).with_row_index("line")
        marked = whole.join(back, on="line", how="left", maintain_order="left")
        marked = marked.with_columns(pl.coalesce(RETURNED, "day_of").alias(RETURNED)).drop("line", "day_of")
        changed[name] = None
        place, entry = write(marked, renamed(name, identity))
        changed[place] = entry
    return changed


def _open_purchases(returns: pl.DataFrame, root: Path, there: Manifest) -> dict[str, pl.DataFrame]:
    """The purchases of each week file that `returns` could be of and that were not taken back, with its line."""
    last, pairs = int(returns["day"].to_numpy().max()), returns.lazy().select(PAIR).unique()
    found = dict[str, pl.DataFrame]()
    for name in sorted(there.files):
        if name.startswith("transactions/") and week_of_file(name).first_day <= last:
            rows = scan_table(root / name).with_row_index("line").filter(pl.col(RETURNED).is_null())
            found[name] = rows.join(pairs, on=PAIR, how="semi", maintain_order="left").collect()
    return found
