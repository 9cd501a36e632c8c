"""Ranking metrics as plain functions of two tables.

`predictions` is (customer, article, rank from 1). `labels` is (customer, article), each pair once: what was bought in
the week. Means are over the buyers, the customers in `labels`; a buyer without predictions counts as 0. An article that
is predicted twice for a customer counts at its first place.
"""

import polars as pl

from hmgpu.core.list_length import K


def average_precision(predictions: pl.DataFrame, labels: pl.DataFrame, k: int = K) -> pl.DataFrame:
    """Average precision of each buyer (customer, average_precision float64): AP@k as Kaggle's H&M competition has it.

    It is the sum, over the hits, of the precision at the hit's place, divided by min(articles bought, k).
    """
    found = _hits(predictions, labels, k).with_columns(precision=pl.col("hit") / pl.col("rank"))
    summed = found.group_by("customer").agg(total=pl.col("precision").sum())
    return _by_customer(labels, summed).select(
        "customer", average_precision=pl.col("total") / pl.min_horizontal(pl.col("bought"), pl.lit(k))
    )


def map_at(predictions: pl.DataFrame, labels: pl.DataFrame, k: int = K) -> float:
    """MAP@k, the mean average precision over the buyers; 0 when nobody bought."""
    return _mean(average_precision(predictions, labels, k)["average_precision"])


def ndcg_at(predictions: pl.DataFrame, labels: pl.DataFrame, k: int = K) -> float:
    """NDCG@k with binary relevance (Järvelin & Kekäläinen 2002)."""
    found = _hits(predictions, labels, k)
    gained = found.group_by("customer").agg(total=(1 / (pl.col("rank") + 1).log(2)).sum())
    places = pl.DataFrame({"bought": range(1, k + 1)}, schema={"bought": pl.UInt32})
    ideal = places.with_columns(ideal=(1 / (pl.col("bought") + 1).log(2)).cum_sum())
    capped = _by_customer(labels, gained).with_columns(pl.min_horizontal(pl.col("bought"), pl.lit(k, pl.UInt32)))
    scored = capped.join(ideal, on="bought", maintain_order="left")
    return _mean(scored["total"] / scored["ideal"])


def hit_rate_at(predictions: pl.DataFrame, labels: pl.DataFrame, k: int = K) -> float:
    """Share of the buyers who bought at least one of their first k articles."""
    buyers = labels["customer"].n_unique()
    return _hits(predictions, labels, k)["customer"].n_unique() / buyers if buyers else 0.0


def precision_at(predictions: pl.DataFrame, labels: pl.DataFrame, k: int = K) -> float:
    """Precision@k: the share of all buyers' first k places that hold an article they bought.

    A list that is shorter than k still counts k places.
    """
    places = k * labels["customer"].n_unique()
    return _hits(predictions, labels, k).height / places if places else 0.0


def recall_at(predictions: pl.DataFrame, labels: pl.DataFrame, k: int) -> float:
    """Share of all bought (customer, article) pairs whose article is among the customer's first k."""
    return _hits(predictions, labels, k).height / labels.height if labels.height else 0.0


def coverage(predictions: pl.DataFrame, on_sale: pl.DataFrame) -> float:
    """Share of the articles in `on_sale` (article) that are predicted for at least one customer."""
    shown = on_sale.select("article").unique().join(predictions, on="article", how="semi")
    return shown.height / on_sale["article"].n_unique() if on_sale.height else 0.0


def _hits(predictions: pl.DataFrame, labels: pl.DataFrame, k: int) -> pl.DataFrame:
    """Predictions that were bought (customer, article, rank, hit); `hit` numbers a customer's hits from 1."""
    first = predictions.sort("customer", "rank").unique(["customer", "article"], keep="first", maintain_order=True)
    found = first.filter(pl.col("rank") <= k).join(labels, on=["customer", "article"], maintain_order="left")
    return found.with_columns(hit=pl.int_range(1, pl.len() + 1).over("customer"))


def _by_customer(labels: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """One row a buyer (customer, bought, total), total 0 without a hit; sorted, so that means are exact."""
    bought = labels.group_by("customer").agg(bought=pl.len())
    return bought.join(totals, on="customer", how="left").with_columns(pl.col("total").fill_null(0.0)).sort("customer")


def _mean(values: pl.Series) -> float:
    return float(values.mean()) if len(values) else 0.0  # type: ignore[arg-type]
