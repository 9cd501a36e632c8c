"""Turn scores into exactly k articles for every customer, and lists into a file, which is the one that Kaggle takes."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from hmgpu.core.errors import DataError, RunError
from hmgpu.core.list_length import K
from hmgpu.core.parquet import read_table
from hmgpu.core.plans import decayed, top_n

if TYPE_CHECKING:  # the real import loads pydantic's models, which nobody needs to look a list up
    from hmgpu.core.engine import Engine
    from hmgpu.data.store import History

SUBMISSION = "submission.csv"
SEPARATORS = " |;/"  # of the ids of a list: the first that no id has in it; Kaggle's is the space


def best_sellers(history: "History", n: int = K, excluded: pl.LazyFrame | None = None) -> pl.LazyFrame:
    """Return (article, rank), the `n` best sellers that fill up lists: the latest weeks' first, then of all time.

    k of them are enough for a list of k articles: one that the list holds already leaves a place less to fill.

    Args:
        excluded: (article) that must not be recommended; None excludes nothing.
    """
    sales = history.transactions.with_columns(weight=decayed(history.cutoff, half_life=7.0))
    if excluded is not None:
        sales = sales.join(excluded, on="article", how="anti")
    scored = sales.group_by("article").agg(score=pl.col("weight").sum())
    return top_n(scored, n, by=()).select("article", "rank")


def best_scored(scored: pl.DataFrame, k: int, engine: "Engine") -> pl.DataFrame:
    """Return the `k` best rows of each customer in `scored` (customer, article, score): all that `top_k` needs.

    So candidates are scored some customers at a time, and those of all customers are never in memory at once.
    """
    best = top_n(scored.lazy().drop_nulls("score"), k, by="customer")
    return engine.collect(best.select("customer", "article", "score"))


def top_k(
    scored: pl.LazyFrame,
    customers: pl.LazyFrame,
    filler: pl.LazyFrame,
    k: int = K,
    excluded: pl.LazyFrame | None = None,
) -> pl.LazyFrame:
    """Return (customer, article, rank 1..k): each customer's best articles, filled up where they are too few.

    Args:
        scored: (customer, article, score) of candidates; a null score proposes nothing.
        customers: (customer), all who get a list.
        filler: what `best_sellers` returned; more than k of them where pairs are excluded.
        excluded: (customer, article) that a list must not be filled with; None excludes nothing.
    """
    best = top_n(scored.drop_nulls("score").select("customer", "article", "score"), k, by="customer")
    listed = best.select("customer", "article", place=pl.col("rank").cast(pl.Int64))
    more = customers.join(filler.filter(pl.col("rank") <= k), how="cross")
    if excluded is not None:  # only customers with excluded pairs need more than k best sellers
        affected = excluded.select("customer").unique()
        whole = customers.join(affected, on="customer", how="semi").join(filler, how="cross")
        others = more.join(affected, on="customer", how="anti")
        more = pl.concat([others, whole.join(excluded, on=["customer", "article"], how="anti")], how="diagonal")
    more = more.join(listed, on=["customer", "article"], how="anti")
    fill = more.select("customer", "article", place=pl.col("rank").cast(pl.Int64) + k)
    both = pl.concat([listed, fill]).with_columns(score=-pl.col("place"))
    return top_n(both, k, by="customer").select("customer", "article", "rank")


def check_fillable(filler: pl.DataFrame, k: int = K) -> None:
    """Raise DataError when too few articles may be recommended to give anybody `k` of them."""
    if filler.height < k:
        raise DataError(
            f"Only {filler.height} articles were ever sold and may be recommended; a list needs {k} different ones "
            "(lists.k)."
        )


def write_submission(
    path: Path,
    predictions: Iterable[Path],
    customer_ids: pl.DataFrame,
    article_ids: pl.DataFrame,
    k: int = K,
    column: str = "customer_id",
) -> int:
    """Write `customer_id,prediction` (k ids, separated by spaces), as Kaggle takes it; return the number of rows.

    Args:
        path: the CSV to write.
        predictions: files of (customer, article, rank), in the order in which customers are written.
        customer_ids: (customer, customer_id). article_ids: (article, article_id).
        column: what the retailer's files call a customer's id, for the first line.
    """
    between = separator(article_ids["article_id"])
    rows = 0
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write(pl.DataFrame(schema={column: pl.String, "prediction": pl.String}).write_csv())
        for file in predictions:
            lines = (
                lists_of_ids(file, article_ids, k)
                .join(customer_ids, on="customer", maintain_order="left")
                .select("customer_id", prediction=pl.col("articles").list.join(between))
            )
            out.write(lines.write_csv(include_header=False))
            rows += lines.height
    return rows


def separator(article_ids: pl.Series) -> str:
    """Return what separates the ids of a list: a space, or, where an id has one in it, the next of `| ; /`.

    Raises DataError where ids have all of these in them.
    """
    for each in SEPARATORS:
        if not article_ids.str.contains(each, literal=True).any():
            return each
    raise DataError(
        f"The article ids have each of '{SEPARATORS}' in them, so nothing is left to separate them in a list."
    )


def lists_of_ids(file: Path, article_ids: pl.DataFrame, k: int = K) -> pl.DataFrame:
    """Return (customer, articles: a list of k ids, the best first), sorted by customer.

    Args:
        file: of (customer, article, rank).
        article_ids: (article, article_id).

    Raises RunError where a list is not k different articles.
    """
    listed = read_table(file).join(article_ids, on="article").sort("customer", "rank")
    found = listed.group_by("customer", maintain_order=True).agg(articles=pl.col("article_id"))
    if not (found["articles"].list.n_unique() == k).all() or not (found["articles"].list.len() == k).all():
        raise RunError(f"{file} has a list without {k} different articles: delete its run and start it again.")
    return found
