"""Whose clothes an article is, and whose a customer buys.

Nobody's gender is in the data. H&M solutions took a customer for a buyer of women's or of men's clothes where at least
four fifths of what he bought, of all that is either, is one of the two.
"""

import polars as pl

from hmgpu.data.store import History

COLUMN = "index_group_name"
"""The articles' column that tells; sports, children's and young fashion are of neither."""
WOMEN, MEN = 0, 1
DEFAULT_WOMEN, DEFAULT_MEN = ("Ladieswear",), ("Menswear",)
SHARE = 80
"""Percent of a customer's women's and men's articles that must be of one of the two."""


def article_gender(history: History, women: tuple[str, ...], men: tuple[str, ...]) -> pl.LazyFrame:
    """(article, gender int32: 0 women's, 1 men's) of those that are one of the two.

    Args:
        women, men: values of `index_group_name`.
    """
    group = pl.col(COLUMN)
    gender = pl.when(group.is_in(women)).then(WOMEN).when(group.is_in(men)).then(MEN)
    return history.articles.select("article", gender=gender.cast(pl.Int32)).drop_nulls()


def customer_gender(bought: pl.LazyFrame, articles: pl.LazyFrame, share: int = SHARE) -> pl.LazyFrame:
    """(customer, women int64, men int64: units bought of each, gender int32 or null where neither reaches `share`).

    Args:
        bought: purchases (customer, article), one row a unit.
        articles: what `article_gender` returned.
        share: in percent.
    """
    men = (pl.col("gender") == MEN).cast(pl.Int64).sum()
    units = bought.join(articles, on="article").group_by("customer").agg(units=pl.len().cast(pl.Int64), men=men)
    counted = units.select("customer", pl.col("units") - pl.col("men"), "men").rename({"units": "women"})
    least = share * (pl.col("women") + pl.col("men"))
    gender = pl.when(100 * pl.col("women") >= least).then(WOMEN).when(100 * pl.col("men") >= least).then(MEN)
    return counted.select("customer", "women", "men", gender=gender.cast(pl.Int32))
