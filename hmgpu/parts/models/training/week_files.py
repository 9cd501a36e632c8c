"""Files that are trained on, one for each week, because a batch must not mix weeks."""

from pathlib import Path
from typing import NamedTuple

import polars as pl


class PurchaseFiles(NamedTuple):
    """Files of encoded rows, one for each week."""

    bought: list[Path]
    on_sale: list[Path]
    """The articles on sale with their encoded columns, from which extra negatives are sampled; empty without them."""


def write_week(table: pl.DataFrame, folder: Path, week: int) -> Path:
    """Write `table` into `folder`, which is made if need be, and return the file, which is named by the week's day."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{week}.parquet"
    table.write_parquet(file)
    return file
