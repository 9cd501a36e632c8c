"""What customers bought, as lists of places among the articles that a network knows."""

from pathlib import Path

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.data.store import History
from hmgpu.parts.models.space.bought import often_bought

BASKET = "basket"
AT_ONCE = 65_536  # customers whose lists are in memory at once


def known_articles(history: History, days: int, support: int, engine: Engine) -> pl.DataFrame:
    """Return (article, place int32 from 0), sorted: the articles of which `support` units sold in the last `days`."""
    often = engine.collect(often_bought(history.last(days), support))
    return often.with_columns(place=pl.int_range(pl.len(), dtype=pl.Int32))


def baskets(history: History, articles: pl.DataFrame, days: int, engine: Engine) -> pl.DataFrame:
    """Return (customer, `basket` list of int32), sorted: what each customer bought in the last `days`, each once.

    Args:
        history: of these customers.
        articles: (article, place); who bought none of them has no row.
        days: before the cutoff.
        engine: where to compute, on the CPU or the GPU.
    """
    bought = history.last(days).select("customer", "article").unique().join(articles.lazy(), on="article")
    rows = engine.collect(bought.select("customer", "place").sort("customer", "place"))
    return rows.group_by("customer", maintain_order=True).agg(pl.col("place").alias(BASKET))


def write_baskets(history: History, articles: pl.DataFrame, days: int, engine: Engine, folder: Path) -> list[Path]:
    """Write `baskets` of all who bought one of `articles` in the last `days`, without keys, and return the files."""
    known = articles.lazy().select("article")
    bought = history.last(days).join(known, on="article", how="semi")
    buyers = engine.collect(bought.select("customer").unique().sort("customer"))
    files: list[Path] = []
    folder.mkdir(parents=True, exist_ok=True)
    for some in buyers.iter_slices(AT_ONCE):
        files.append(folder / f"{len(files):05}.parquet")
        baskets(history.of(some), articles, days, engine).drop("customer").write_parquet(files[-1])
    return files
