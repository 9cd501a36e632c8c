"""Notice launch dates that were computed from the sales, which say on the first day what is going to be sold."""

import polars as pl

from hmgpu.data.tables import LAUNCHED

ENOUGH = 100  # sold articles with a launch date, below which the same days may be chance
NEARLY_ALL = 0.99


def launches_from_sales(articles: pl.DataFrame) -> list[str]:
    """Return a warning where `articles` (first_day, launched?) have the day of the first sale as launch date.

    A catalogue knows articles that nobody has bought yet, and those that were first bought days after their launch.
    """
    if LAUNCHED.name not in articles.columns:
        return []
    launched = articles.filter(pl.col(LAUNCHED.name).is_not_null())
    same = launched.filter(pl.col(LAUNCHED.name) == pl.col("first_day")).height
    if launched.height < ENOUGH or same < NEARLY_ALL * launched.height:
        return []
    return [
        f"{same:,} of {launched.height:,} launch dates are the day of the article's first sale: if they were computed "
        "from the sales, they tell runs which articles are about to sell, so take `data.columns.articles.launched` out."
    ]
