"""How long articles sell, and how new the articles are that customers buy."""

from collections.abc import Iterator

import polars as pl

from hmgpu.core.html.blocks import Bars, Facts, Section, count, share
from hmgpu.core.html.lines import Lines
from hmgpu.data.explore.articles import sold_articles
from hmgpu.data.explore.whole import WEEK, Whole, total
from hmgpu.data.weeks import DAYS

LEAD = (
    "A lifetime runs from an article's first sale to its last, both days included. Articles that sold before the data "
    "begins, or still sell after it ends, live longer than the data shows."
)
WEEKS = (1, 4, 13, 26, 52)  # upper ends of the bands of lifetimes
NEW = 28  # days from its first sale during which an article counts as new


def lifetimes(whole: Whole) -> Section:
    """The section with lifetimes, new articles a week, and the share of a week's units that are of new articles."""
    table = sold_articles(whole)
    lived = table["last"] - table["first"] + 1
    bands = [(name, n, f"{count(n)} · {share(n / table.height)}") for name, n in _bands(lived)]
    arrivals = table.lazy().group_by(whole.week("first").alias(WEEK)).agg(articles=pl.len())
    blocks = [
        Facts({"median lifetime in days": count(lived.quantile(0.5, "equiprobable") or 0)}),
        Bars("Articles by lifetime", bands),
        Lines("Articles sold for the first time", WEEK, whole.weeks, whole.by_week(arrivals)),
        Lines(
            f"Share of a week's units that are of articles first sold at most {NEW} days before",
            WEEK,
            whole.weeks,
            _young(whole, table),
            share,
        ),
    ]
    return Section("Lifetimes", LEAD, blocks)


def _bands(lived: pl.Series) -> Iterator[tuple[str, int]]:
    low = 0
    for high in WEEKS:
        yield f"{low}–{high} weeks" if low else "up to a week", total(lived.is_between(low * DAYS + 1, high * DAYS))
        low = high
    yield f"over {low} weeks", total(lived > low * DAYS)


def _young(whole: Whole, table: pl.DataFrame) -> dict[str, list[float | None]]:
    first = table.lazy().select("article", "first")
    # In the first days of the data nobody knows which articles are new.
    known = whole.history.transactions.filter(pl.col("day") >= whole.store.manifest.first_day + NEW)
    young = (pl.col("day") - pl.col("first") < NEW).cast(pl.Int64).sum()
    weekly = known.join(first, on="article").group_by(whole.week().alias(WEEK)).agg(new=young / pl.len())
    return whole.by_week(weekly)
