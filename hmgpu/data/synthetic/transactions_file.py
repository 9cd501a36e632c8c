"""Write `transactions_train.csv` a few days at a time, so that memory does not grow with the scale."""

import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import polars as pl

from hmgpu.data.synthetic.purchases import PurchaseRows
from hmgpu.data.synthetic.span import FIRST_DATE

PRICE_UNIT = 59_000
"""Price units in a price of 1: prices are whole multiples of 1/59000."""
BATCH = 250_000
"""Rows collected in memory before they are written."""


def printed_prices(largest: int) -> pl.Series:
    """Format 0, 1, 2, ... price units as the raw file does: cut, not rounded, to 16 decimals, no trailing zeros."""
    digits = (f"{units * 10**16 // PRICE_UNIT:017d}" for units in range(largest + 1))
    return pl.Series([f"{d[:-16]}.{d[-16:]}".rstrip("0").rstrip(".") for d in digits])


class TransactionsFile:
    """An open `transactions_train.csv`, to which the rows of each day are added in turn."""

    def __init__(self, path: Path, customer_ids: pl.Series, article_ids: pl.Series, dearest: int) -> None:
        """Open the file; `dearest` is the highest price that can occur, in price units."""
        self._file = path.open("wb")
        self._customer_ids = customer_ids
        self._article_ids = article_ids
        self._prices = printed_prices(dearest)
        self._waiting: list[PurchaseRows] = []
        self._headed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is None:
            self._flush()
        self._file.close()

    def add(self, rows: PurchaseRows) -> None:
        """Append the rows of a day."""
        self._waiting.append(rows)
        if sum(len(r.customer) for r in self._waiting) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        days = [(FIRST_DATE + datetime.timedelta(days=r.day)).isoformat() for r in self._waiting]
        entry = np.repeat(np.arange(len(days)), [len(r.customer) for r in self._waiting])
        table = pl.DataFrame(
            {
                "t_dat": pl.Series(days).gather(entry),
                "customer_id": self._customer_ids.gather(np.concatenate([r.customer for r in self._waiting])),
                "article_id": self._article_ids.gather(np.concatenate([r.article for r in self._waiting])),
                "price": self._prices.gather(np.concatenate([r.price for r in self._waiting])),
                "sales_channel_id": np.concatenate([r.channel for r in self._waiting]),
            }
        )
        table.write_csv(self._file, include_header=not self._headed)
        self._headed = True
        self._waiting = []
