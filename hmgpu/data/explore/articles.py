"""What sells: the best and the least sellers, and how unequally sales are spread."""

import polars as pl

from hmgpu.core.html.blocks import Bars, Facts, Grid, Section, count, share
from hmgpu.data.explore.whole import Whole, doubling, total
from hmgpu.data.weeks import date_of

LEAD = "The least sellers are of what sold in the last {} days; of many that sold as little, the oldest stand first."
BEST, LEAST = 20, 10
DAYS = 28
ATTRIBUTES = ("name", "product_type_name", "colour_name")


def sold_articles(whole: Whole) -> pl.DataFrame:
    """(article, units, first and last day) of every article that was sold, sorted by article."""
    day = pl.col("day")
    sums = whole.history.transactions.group_by("article").agg(units=pl.len(), first=day.min(), last=day.max())
    return whole.engine.collect(sums.sort("article"))


def articles(whole: Whole) -> Section:
    """Best and least sellers, and articles by the units they sold."""
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
        "units of the best tenth": share(tenth / sold),
    }
    bands = [(name, n, f"{count(n)} · {share(n / table.height)}") for name, n in doubling(units)]
    blocks = [
        Facts(facts),
        _listed("Best sellers", best.head(BEST), whole),
        _listed("Least sellers", on_sale.sort("units", "first", "article").head(LEAST), whole),
        Bars("Articles by the units they sold", bands),
        Bars("Their share of all units", [(name, n, share(n / sold)) for name, n in doubling(units, units)]),
    ]
    return Section("Articles", LEAD.format(DAYS), blocks)


def _listed(title: str, table: pl.DataFrame, whole: Whole) -> Grid:
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
