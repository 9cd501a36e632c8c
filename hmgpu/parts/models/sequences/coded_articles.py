"""Articles as codes for networks that need no fitted encoders: an id where it sold often enough, and its fields."""

from collections.abc import Mapping

import polars as pl
import torch

from hmgpu.core.engine import Engine
from hmgpu.data.store import History
from hmgpu.parts.models.space.bought import often_bought
from hmgpu.parts.part import CATEGORIES


def articles_with_ids(history: History, support: int, engine: Engine) -> pl.DataFrame:
    """Return (article, id int32 from 1) of the articles that sold often enough for an embedding of their own."""
    often = engine.collect(often_bought(history.transactions, support))
    return often.with_columns(id=pl.int_range(1, pl.len() + 1, dtype=pl.Int32))


def sizes_of_fields(history: History, engine: Engine) -> dict[str, int]:
    """Return the number of codes of each field that articles have, with 0 for what is missing or unknown."""
    fields = [name for name in CATEGORIES if history.has(name)]
    if not fields:
        return {}
    most = engine.collect(history.articles.select(pl.col(name).cast(pl.Int32).max() for name in fields))
    return {name: 1 if most[name][0] is None else most[name][0] + 2 for name in fields}


def coded_articles(history: History, ids: pl.DataFrame, sizes: Mapping[str, int], engine: Engine) -> pl.DataFrame:
    """Return (article, place int32 from 1, id, fields … int32) of all articles sold before, sorted by article.

    A code that training didn't know is 0, as a missing one is.
    """
    codes = [
        pl.when(pl.col(name) + 1 < size).then(pl.col(name).cast(pl.Int32) + 1).otherwise(0).alias(name)
        for name, size in sizes.items()
        if name != "id"
    ]
    known = engine.collect(history.articles.select("article", *codes).sort("article"))
    return known.join(ids, on="article", how="left", maintain_order="left").select(
        "article",
        pl.int_range(1, pl.len() + 1, dtype=pl.Int32).alias("place"),
        *(pl.col(name).fill_null(0).cast(pl.Int32) for name in sizes),
    )


def matrix_of(articles: pl.DataFrame) -> torch.Tensor:
    """Return the codes of `articles` (article, place, codes …) as a matrix (articles, kinds)."""
    return torch.from_numpy(articles.drop("article", "place").to_numpy(order="c").copy())
