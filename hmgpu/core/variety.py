"""Measures of how varied lists are, and how far they stray from what sells anyway, as plain functions of tables.

`lists` is (customer, article, rank): each customer's articles, each once. Every measure is 0 where there are no lists.
"""

import math
from collections.abc import Sequence

import numpy as np
import polars as pl

HEAD = 0.8
AT_ONCE = 1 << 16  # vectors in memory at a time


def novelty(lists: pl.DataFrame, buyers: pl.DataFrame, customers: int) -> float:
    """Return the mean self-information of the articles in lists, in bits: -log2 of the share of customers who bought.

    The mean inverse user frequency of Vargas & Castells 2011, as RecTools has it; an article that nobody bought counts
    as if one customer had.

    Args:
        buyers: (article, buyers): how many different customers bought each article before the week.
        customers: how many bought anything.
    """
    known = lists.join(buyers, on="article", how="left").select(pl.col("buyers").fill_null(1))
    return _mean(math.log2(max(customers, 1)) - known["buyers"].sort().log(2))  # sorted, so that the mean is exact


def intra_list_variety(lists: pl.DataFrame, catalogue: pl.DataFrame) -> float:
    """Return the mean share of catalogue fields in which two articles of a list differ (Hamming distance).

    A mean over pairs within a list, then over lists (Smyth & McClave 2001; RecTools' IntraListDiversity). Pairs aren't
    built: in a list, n articles with one value of a field are n·(n - 1) / 2 pairs alike. Unknown values are like no
    other.

    Args:
        catalogue: (article, a column for each field).
    """
    fields = catalogue.columns[1:]
    sizes = lists.group_by("customer").agg(n=pl.len()).filter(pl.col("n") > 1)
    if not fields or sizes.is_empty():
        return 0.0
    known, n = lists.join(catalogue, on="article"), pl.col("n").cast(pl.Int64)
    alike = pl.concat(
        known.drop_nulls(field).group_by("customer", field).agg(n=pl.len()).select("customer", pairs=n * (n - 1) // 2)
        for field in fields
    )
    found = sizes.join(alike.group_by("customer").agg(pl.col("pairs").sum()), on="customer", how="left")
    share = pl.col("pairs").fill_null(0) / (len(fields) * (n * (n - 1) // 2))
    return _mean(found.sort("customer").select(1 - share).to_series())


def vector_variety(lists: pl.DataFrame, vectors: pl.DataFrame) -> float:
    """Return the mean of 1 - cosine of two articles of a list, among its articles that have a vector.

    A mean over pairs, then over lists: the squared length of the sum of n unit vectors is n plus twice all cosines.

    Args:
        vectors: (article, `v…`), of any length but 0.
    """
    vectors = vectors.join(lists.select("article").unique(), on="article", how="semi")
    placed = vectors.select("article").with_row_index("place").join(lists, on="article")
    placed = placed.filter(pl.len().over("customer") > 1).sort("customer", "rank")
    if placed.is_empty():
        return 0.0
    unit = vectors.drop("article").cast(pl.Float32).to_numpy()
    unit = unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
    places, sizes = placed["place"].to_numpy(), placed["customer"].rle().struct.field("len").to_numpy().astype(np.int64)
    starts, lengths = np.cumsum(sizes) - sizes, []
    every = max(1, AT_ONCE // int(sizes.max()))
    for first in range(0, len(sizes), every):
        own, start = sizes[first : first + every], starts[first : first + every]
        summed = np.add.reduceat(unit[places[start[0] : start[-1] + own[-1]]], start - start[0], axis=0)
        lengths.append((summed.astype(np.float64) ** 2).sum(axis=1))
    cosines = (np.concatenate(lengths) - sizes) / (sizes * (sizes - 1))
    return float((1 - cosines).mean())


def head_of(sold: pl.DataFrame) -> pl.DataFrame:
    """Return (article), the fewest best sellers that make up 80 % of `sold` (article, units); the others are the tail.

    The short head of Abdollahpouri, Burke & Mobasher 2017.
    """
    ordered = sold.sort(["units", "article"], descending=[True, False])
    before = pl.col("units").cum_sum() - pl.col("units")
    return ordered.filter(before < HEAD * pl.col("units").sum()).select("article")


def popular_share(lists: pl.DataFrame, head: pl.DataFrame) -> float:
    """Return the share of all places that articles of the `head` (article) hold."""
    return lists.join(head, on="article", how="semi").height / lists.height if lists.height else 0.0


def gini(lists: pl.DataFrame, articles: pl.DataFrame) -> float:
    """Return the Gini coefficient of how many lists each of `articles` (article) is on, and each other one listed.

    0 where all are on as many lists; near 1 where a few hold all places.
    """
    counted = lists.group_by("article").agg(lists=pl.len().cast(pl.Int64))
    every = articles.select("article").unique().join(counted, on="article", how="full", coalesce=True)
    values = every["lists"].fill_null(0).sort().to_numpy()
    total, n = int(values.sum()), len(values)
    # Integers up to the division: Σ (2i - n - 1) x_i, i from 1, over n Σ x.
    return float(((2 * np.arange(1, n + 1) - n - 1) * values).sum()) / (n * total) if total else 0.0


def fields_of(catalogue: pl.DataFrame, asked: Sequence[str]) -> pl.DataFrame:
    """Return (article, those of the columns `asked` that have two values or more)."""
    kept = [name for name in asked if name in catalogue.columns and catalogue[name].drop_nulls().n_unique() > 1]
    return catalogue.select("article", *kept)


def _mean(values: pl.Series) -> float:
    return float(values.mean()) if len(values) else 0.0  # type: ignore[arg-type]
