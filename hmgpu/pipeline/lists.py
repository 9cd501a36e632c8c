"""From scores to exactly twelve articles for every customer, and the file that Kaggle takes."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from hmgpu.core.errors import DataError, RunError
from hmgpu.core.metrics import K
from hmgpu.core.plans import decayed, top_n
from hmgpu.data.store import History

SUBMISSION = "submission.csv"


def fallback(history: History) -> pl.LazyFrame:
    """(article, rank): the twelve best sellers that fill a list, the latest weeks' first, then those of all time.

    Twelve are enough: of those that a list holds already it needs no other in their place.
    """
    # A sale loses half its weight every week; one fixed-point unit keeps old sales in order of their number.
    sales = history.transactions.with_columns(weight=decayed(history.cutoff - pl.col("day"), 7.0) + 1)
    scored = sales.group_by("article").agg(score=pl.col("weight").sum())
    return top_n(scored, K, by=()).select("article", "rank")


def top_twelve(scored: pl.LazyFrame, customers: pl.LazyFrame, filler: pl.LazyFrame) -> pl.LazyFrame:
    """(customer, article, rank 1..12): each customer's best, filled up where there are fewer.

    Args:
        scored: (customer, article, score) of candidates; a null score proposes nothing.
        customers: (customer) of all who get a list.
        filler: what `fallback` returned.
    """
    best = top_n(scored.drop_nulls("score").select("customer", "article", "score"), K, by="customer")
    listed = best.select("customer", "article", place=pl.col("rank").cast(pl.Int64))
    more = customers.join(filler, how="cross").join(listed, on=["customer", "article"], how="anti")
    fill = more.select("customer", "article", place=pl.col("rank").cast(pl.Int64) + K)
    both = pl.concat([listed, fill]).with_columns(score=-pl.col("place"))
    return top_n(both, K, by="customer").select("customer", "article", "rank")


def check_fillable(filler: pl.DataFrame) -> None:
    """Raises DataError when so few articles were ever sold that nobody can get twelve."""
    if filler.height < K:
        raise DataError(f"Only {filler.height} articles were ever sold; {K} different ones are needed for a list.")


def write_submission(
    path: Path, predictions: Iterable[Path], customer_ids: pl.DataFrame, article_ids: pl.DataFrame
) -> int:
    """Write `customer_id,prediction` (12 ids, separated by spaces) as Kaggle takes it; returns the rows.

    Args:
        path: the CSV to write.
        predictions: files of (customer, article, rank), in the order in which customers are to come.
        customer_ids: (customer, customer_id). article_ids: (article, article_id).
    """
    unclear = article_ids.filter(pl.col("article_id").str.contains(r"\s"))
    if unclear.height:
        raise DataError(
            f"Article id '{unclear['article_id'][0]}' holds a space, which separates the ids of a submission."
        )
    rows = 0
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write("customer_id,prediction\n")
        for file in predictions:
            lines = (
                lists_of_ids(file, article_ids)
                .join(customer_ids, on="customer", maintain_order="left")
                .select("customer_id", prediction=pl.col("articles").list.join(" "))
            )
            out.write(lines.write_csv(include_header=False))
            rows += lines.height
    return rows


def lists_of_ids(file: Path, article_ids: pl.DataFrame) -> pl.DataFrame:
    """(customer, articles: a list of twelve ids, the best first), sorted by customer.

    Args:
        file: of (customer, article, rank).
        article_ids: (article, article_id).

    Raises RunError where a list is not twelve different articles.
    """
    listed = pl.read_parquet(file).join(article_ids, on="article").sort("customer", "rank")
    found = listed.group_by("customer", maintain_order=True).agg(articles=pl.col("article_id"))
    if not (found["articles"].list.n_unique() == K).all() or not (found["articles"].list.len() == K).all():
        raise RunError(f"{file} has a list that is not {K} different articles; make the run anew.")
    return found
