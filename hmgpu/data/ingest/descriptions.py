"""Attributes of articles that are read from the transactions: an article has those of its first purchase."""

import polars as pl

from hmgpu.data.ingest.columns import OF_ARTICLES


def descriptions(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Return, for each attribute that `rows` (article, day, articles.…) have, what `earliest` keeps of it."""
    names = [name for name in rows.columns if name.startswith(OF_ARTICLES)]
    parts = [
        rows.select("article", "day", column=pl.lit(name.removeprefix(OF_ARTICLES)), value=name).drop_nulls()
        for name in names
    ]
    return [earliest(part) for part in parts]


def earliest(values: pl.DataFrame) -> pl.DataFrame:
    """Keep the value of the first day for each article and column of `values` (article, day, column, value).

    Of several on one day it is the first in the order of text, so that the order of a file's rows doesn't matter.
    """
    return values.sort("article", "column", "day", "value").unique(
        ["article", "column"], keep="first", maintain_order=True
    )
