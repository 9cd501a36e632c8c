"""Best and worst sellers, and how unequally sales are spread over articles."""

import polars as pl

from hmgpu.core.html.blocks import Bars, Facts, Grid, Section, count, share
from hmgpu.data.explore.whole import Whole, doubling, total
from hmgpu.data.weeks import date_of

LEAD = "The worst sellers are among the articles sold in the last {} days; of equals, the oldest come first."
BEST, WORST = 20, 10
DAYS = 28
ATTRIBUTES = ("name", "product_type_name", "colour_name")


def sold_articles(whole: Whole) -> pl.DataFrame:
    """Sold articles with their units, first and last day (article, units, first, last), sorted by article."""
    day = pl.col("day")
    sums = whole.history.transactions.group_by("article").agg(units=pl.len(), first=day.min(), last=day.max())
    return whole.engine.collect(sums.sort("article"))


def articles(whole: Whole) -> Section:
    """The section with the best and worst sellers, and with articles by the units they sold."""
    table = sold_articles(whole)
    units, sold = table["units"], total(table["units"])
    best = table.sort("units", "article", descending=[True, False])
    on_sale = table.filter(pl.col("last") > whole.store.last_day - DAYS)
    tenth = total(best.head(max(1, table.height // 10))["units"])
    facts = {
        "ever sold": count(table.height),
        "never sold": count(whole.store.manifest.articles - table.height),
        f"sold in the last {DAYS} days": count(on_sale.height),
        "sold once": share(total(units == 1) / table.height),
        "units sold by the best tenth": share(tenth / sold),
    }
    bands = [(name, n, f"{count(n)} · {share(n / table.height)}") for name, n in doubling(units)]
    blocks = [
        Facts(facts),
        _article_table("Best sellers", best.head(BEST), whole),
        _article_table("Worst sellers", on_sale.sort("units", "first", "article").head(WORST), whole),
        Bars("Articles by the units they sold", bands),
        Bars("Their share of all units", [(name, n, share(n / sold)) for name, n in doubling(units, units)]),
    ]
    return Section("Articles", LEAD.format(DAYS), blocks)


def _article_table(title: str, table: pl.DataFrame, whole: Whole) -> Grid:
    known = whole.history.articles
    there = [name for name in ATTRIBUTES if name in known.collect_schema().names()]
    wanted = known.filter(pl.col("article").is_in(table["article"].to_list())).select("article", "article_id", *there)
    named = table.join(whole.engine.collect(wanted), on="article", how="left", maintain_order="left")
    rows = [
        [
            row["article_id"],
            ", ".join(str(row[name]) for name in there if row[name] is not None),
            count(row["units"]),
            str(date_of(row["first"])),
            str(date_of(row["last"])),
        ]
        for row in named.iter_rows(named=True)
    ]
    return Grid(title, ["article", "what it is", "units", "first sold", "last sold"], rows, numbers=False)
