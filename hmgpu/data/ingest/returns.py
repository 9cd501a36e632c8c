"""Rows of several units, and returns: which purchase each of them takes back."""

import numpy as np
import polars as pl

from hmgpu.data.tables import DTYPES

PAIR = ["customer", "article"]
NO_RETURNS = pl.DataFrame(
    schema={"day": DTYPES["day"], "customer": DTYPES["key"], "article": DTYPES["key"], "units": DTYPES["quantity"]}
)


def units(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split `rows` into purchases, a row a unit, and returns (day, customer, article, units) by their `quantity`.

    Without a quantity every row is one unit bought.
    """
    if "quantity" not in rows.columns:
        return rows, NO_RETURNS
    bought = rows.filter(pl.col("quantity") > 0)
    if (bought["quantity"] > 1).any():
        bought = bought[np.repeat(np.arange(bought.height), bought["quantity"].to_numpy())]
    back = rows.filter(pl.col("quantity") < 0).select("day", *PAIR, units=-pl.col("quantity"))
    return bought.drop("quantity"), back


def taken_back(purchases: pl.DataFrame, returns: pl.DataFrame) -> pl.Series:
    """Return the day (Int32) on which each of `purchases` was taken back, null for those that were not.

    Every returned unit takes back the latest purchase of its customer and article, on its day or before, that no other
    has taken back. `purchases` (day, customer, article, …) and `returns` (day, customer, article, units) may be in any
    order; of purchases of one day the last by their other columns is taken.
    """
    others = [name for name in purchases.columns if name not in ("day", *PAIR)]
    bought = purchases.with_row_index("row").join(returns, on=PAIR, how="semi").with_columns(back=0)
    back = returns[np.repeat(np.arange(returns.height), returns["units"].to_numpy())].select("day", *PAIR, back=1)
    events = pl.concat([bought, back], how="diagonal_relaxed").sort(*PAIR, "day", "back", *others)
    # Purchases open brackets and returns close them: a return's purchase is the one before it at its depth.
    depth = (1 - 2 * pl.col("back")).cum_sum().over(PAIR) + pl.col("back")
    closed = (
        events.with_columns(depth=depth)
        .with_columns(opened=pl.col("row").shift(1).over(*PAIR, "depth"))
        .filter((pl.col("back") == 1) & pl.col("opened").is_not_null())
    )
    days = np.full(purchases.height, -1, np.int32)
    days[closed["opened"].to_numpy()] = closed["day"].to_numpy()
    return pl.Series("returned", days).replace(-1, None)
