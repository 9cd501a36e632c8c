"""Write the tables that a run is served from, next to the submission in the step `submit`.

    recommendations.parquet   (customer, customer_id, articles), sorted by customer id
    best_sellers.parquet      (rank, article_id): the list for unknown customers
    articles.parquet          (article, article_id)
    codes.parquet             (column, code, value): what codes stand for in the retailer's files

They hold the retailer's own ids and texts, so that serving needs no data set.
"""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from hmgpu.core.list_length import K
from hmgpu.pipeline.lists import lists_of_ids

RECOMMENDATIONS, BEST_SELLERS = "recommendations.parquet", "best_sellers.parquet"
ARTICLES, CODES = "articles.parquet", "codes.parquet"
ROW_GROUP = 2**15  # rows that a look-up of one customer decodes: fewer make a larger file that is slower to write


def write_tables(
    folder: Path,
    predictions: Iterable[Path],
    filler: pl.DataFrame,
    customer_ids: pl.DataFrame,
    article_ids: pl.DataFrame,
    codes: pl.DataFrame,
    k: int = K,
) -> None:
    """Write all of these tables into `folder`.

    Args:
        predictions: files of (customer, article, rank).
        filler: (article, rank), the best sellers.
        customer_ids: (customer, customer_id). article_ids: (article, article_id). codes: (column, code, value).

    Raises RunError where a list is not k different articles.
    """
    named = pl.concat(
        lists_of_ids(file, article_ids, k)
        .join(customer_ids, on="customer")
        .select("customer", "customer_id", "articles")
        for file in predictions
    ).sort("customer_id")
    named.write_parquet(folder / RECOMMENDATIONS, row_group_size=ROW_GROUP)
    best = filler.join(article_ids, on="article").select("rank", "article_id").sort("rank")
    best.write_parquet(folder / BEST_SELLERS)
    article_ids.sort("article").write_parquet(folder / ARTICLES)
    codes.sort("column", "code").write_parquet(folder / CODES)
