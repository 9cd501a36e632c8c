"""How much more of a category each customer buys than others who bought in the same weeks: their leaning.

The ratio of two counts, observed and expected, is shrunk as with a gamma prior (DuMouchel 1999, "Bayesian data mining
in large frequency tables"), towards the ratio of the customer's age group. The expectation follows the weeks in which
the customer bought: a customer who only comes in summer has no special liking for swimwear.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from hmgpu.core.plans import ONE, fixed_point
from hmgpu.data.store import History

AGES = 4  # years in a band
FEW = 5  # expected purchases of every category that are added to each band's own
Doubles = npt.NDArray[np.float64]


def bought_rows(history: History, by: str, days: int) -> pl.LazyFrame:
    """Return (customer, article, category, week): each article once for each customer and day.

    A category is a value of the articles' column `by`. Weeks count back from the cutoff, and the last one is 0.
    """
    category = history.articles.select("article", category=by).drop_nulls()
    bought = history.last(days).select("customer", "article", "day").unique().join(category, on="article")
    return bought.select("customer", "article", "category", week=(history.cutoff - 1 - pl.col("day")) // 7)


def week_shares(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return (week, category, share int64 in steps of 2^-20): each category's share of the purchases of a week."""
    # Fewer than 2^31 units times 2^20; so are the sums of expected purchases in `band_ratios`.
    sold = rows.group_by("week", "category").agg(units=pl.len().cast(pl.Int64))
    return sold.select("week", "category", share=pl.col("units") * ONE // pl.col("units").sum().over("week"))


def bands(history: History) -> pl.LazyFrame:
    """Return (customer, band): each customer's age group, -1 if their age is unknown."""
    age = pl.col("age").cast(pl.Int32) // AGES if history.has("age") else pl.lit(-1, dtype=pl.Int32)
    return history.customers.select("customer", band=age.fill_null(-1))


def band_ratios(rows: pl.LazyFrame, shares: pl.LazyFrame, members: pl.LazyFrame) -> pl.LazyFrame:
    """Return (band, category, ratio int64 in steps of 2^-20): purchases of age groups relative to the expectation."""
    members = members.filter(pl.col("band") >= 0)
    banded = rows.join(members, on="customer")
    visits = banded.group_by("band", "week").agg(units=pl.len().cast(pl.Int64)).join(shares, on="week")
    expected = visits.group_by("band", "category").agg(expected=(pl.col("units") * pl.col("share")).sum())
    seen = banded.group_by("band", "category").agg(seen=pl.len().cast(pl.Int64))
    both = expected.join(seen, on=["band", "category"], how="left").with_columns(pl.col("seen").fill_null(0))
    ratio = (pl.col("seen") + FEW) / (pl.col("expected") / ONE + FEW)
    return both.select("band", "category", ratio=fixed_point(ratio))


def ratios(
    rows: pl.DataFrame, shares: pl.DataFrame, ages: pl.DataFrame, members: pl.DataFrame, prior: float
) -> Doubles:
    """Return the ratios of observed to expected purchases as a matrix (customers of `members`, categories of `shares`).

    Args:
        rows: purchases of these customers, as `bought_rows` returns them.
        shares: the table that `week_shares` returned.
        ages: the table that `band_ratios` returned.
        members: (customer, band), sorted.
        prior: expected purchases of every category that are added to each customer's own.
    """
    categories = shares["category"].unique().sort()
    rows = rows.join(categories.to_frame(), on="category", how="semi")
    weeks = pl.concat([shares["week"], rows["week"]]).unique().sort()
    customer, category = ("customer", members["customer"]), ("category", categories)
    observed = _table(rows, customer, category)
    visits = _table(rows, customer, ("week", weeks))
    # Sums of whole numbers, exact in any order.
    expected = visits @ _table(shares, ("week", weeks), category, "share") / ONE
    grouped = ages["band"].unique().sort()
    usual = _table(ages, ("band", grouped), category, "ratio") / ONE
    own = np.ones_like(expected)
    known = members["band"].is_in(grouped.implode()).to_numpy()
    own[known] = usual[np.searchsorted(grouped.to_numpy(), members["band"].to_numpy()[known])]
    own[own == 0] = 1.0  # an age group that bought nothing in any week in which the category was sold
    shrunk: Doubles = (observed + prior * own) / (expected + prior)
    return shrunk


def _table(
    rows: pl.DataFrame, first: tuple[str, pl.Series], second: tuple[str, pl.Series], weight: str | None = None
) -> Doubles:
    """Return sums of `weight`, or counts of rows, by two columns, each of which is given with its sorted values."""
    places = [np.searchsorted(values.to_numpy(), rows[name].to_numpy()) for name, values in (first, second)]
    table = np.zeros((len(first[1]), len(second[1])))
    np.add.at(table, (places[0], places[1]), rows[weight].to_numpy() if weight else 1.0)
    return table
