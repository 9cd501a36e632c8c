"""Whether an article is women's or men's, and which of the two a customer buys.

The data don't say anybody's gender. Solutions of the H&M competition called customers buyers of women's or of men's
clothes if at least four fifths of the women's and men's articles that they bought were one of the two.
"""

import polars as pl

from hmgpu.data.store import History

COLUMN = "index_group_name"
"""The articles' column that decides; sports, children's and young fashion are neither women's nor men's."""
WOMEN, MEN = 0, 1
DEFAULT_WOMEN, DEFAULT_MEN = ("Ladieswear",), ("Menswear",)
SHARE = 80
"""Percent of a customer's women's and men's articles that must be one of the two."""


def article_gender(history: History, women: tuple[str, ...], men: tuple[str, ...]) -> pl.LazyFrame:
    """Return (article, gender int32: 0 women's, 1 men's) for the articles that are one of the two.

    Args:
        women: values of `index_group_name` that are women's.
        men: values of `index_group_name` that are men's.
    """
    group = pl.col(COLUMN)
    gender = pl.when(group.is_in(women)).then(WOMEN).when(group.is_in(men)).then(MEN)
    return history.articles.select("article", gender=gender.cast(pl.Int32)).drop_nulls()


def customer_gender(bought: pl.LazyFrame, articles: pl.LazyFrame, share: int = SHARE) -> pl.LazyFrame:
    """Return each customer's gender by their purchases: (customer, women int64, men int64, gender int32).

    `women` and `men` are units bought of each; `gender` is null if neither reaches `share`.

    Args:
        bought: purchases (customer, article), one row for each unit.
        articles: the table that `article_gender` returned.
        share: in percent.
    """
    men = (pl.col("gender") == MEN).cast(pl.Int64).sum()
    units = bought.join(articles, on="article").group_by("customer").agg(units=pl.len().cast(pl.Int64), men=men)
    counted = units.select("customer", pl.col("units") - pl.col("men"), "men").rename({"units": "women"})
    least = share * (pl.col("women") + pl.col("men"))
    gender = pl.when(100 * pl.col("women") >= least).then(WOMEN).when(100 * pl.col("men") >= least).then(MEN)
    return counted.select("customer", "women", "men", gender=gender.cast(pl.Int32))
