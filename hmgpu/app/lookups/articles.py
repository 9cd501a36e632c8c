"""Find articles, and look up what they are, how they sell, who buys them and what goes with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import polars as pl

from hmgpu.app.lookups.items import Item, items
from hmgpu.app.lookups.opened import OpenRun
from hmgpu.core.html.blocks import Bars, count, share
from hmgpu.core.html.lines import Lines
from hmgpu.data.explore.articles import DAYS as LATELY
from hmgpu.data.explore.buyers import YEARS
from hmgpu.data.explore.whole import WEEK
from hmgpu.data.tables import ARTICLES
from hmgpu.data.weeks import date_of

FOUND, NEAR = 20, 12


@dataclass(frozen=True)
class SoldArticle:
    """An article as the run knows it."""

    item: Item
    attributes: dict[str, str]
    description: str
    facts: dict[str, str]
    """Units, buyers, first and last day, price."""
    weekly: Lines
    ages: Bars | None
    """Its buyers' ages; None where the data have none."""
    channels: Bars | None
    together: Sequence[Item]
    """What the same customers bought on the same day, the most often first."""


def find_articles(opened: OpenRun, text: str) -> list[tuple[str, str]]:
    """Return (id, name) of the first articles whose id begins with `text`, or whose name has it in it."""
    text = text.strip()
    plan, name = opened.store.articles(), pl.col("article_id")
    if "name" in plan.collect_schema().names():
        name = pl.col("name").fill_null(pl.col("article_id"))
    within = name.str.to_lowercase().str.contains(text.lower(), literal=True)
    found = plan.filter(pl.col("article_id").str.starts_with(text) | within).select("article_id", name=name)
    return opened.engine.collect(found.sort("article_id").head(FOUND)).rows()


def any_article(opened: OpenRun, chance: Random) -> str:
    """Return the id of one of the articles that sold lately, at random."""
    ids = opened.engine.collect(
        opened.store.article_ids().join(opened.history.on_sale(LATELY), on="article", how="semi").sort("article")
    )["article_id"]
    return str(ids[chance.randrange(len(ids))])


def article_of(opened: OpenRun, article_id: str) -> SoldArticle | None:
    """Look an article up; None where the data set has no such article."""
    rows = opened.engine.collect(opened.store.articles().filter(pl.col("article_id") == article_id))
    if rows.is_empty():
        return None
    row = rows.row(0, named=True)
    article = row["article"]
    sold = opened.engine.collect(opened.history.transactions.filter(pl.col("article") == article))
    named = {column.name for column in ARTICLES if column.kind == "text"} - {"name", "description"}
    return SoldArticle(
        items(opened, [article])[article],
        {name.removesuffix("_name").replace("_", " "): row[name] for name in row if name in named and row[name]},
        row.get("description") or "",
        _facts(sold),
        _weekly(opened, sold),
        _ages(opened, sold),
        _channels(opened, sold),
        _together(opened, sold, article),
    )


def neighbours(opened: OpenRun, article_id: str) -> dict[str, list[Item]]:
    """Return the articles nearest to this one by each space of vectors that has it, with their cosines."""
    spaces, found = opened.spaces, dict[str, list[Item]]()
    if article_id not in spaces.keys:
        return found
    for name, space in spaces.by_name.items():
        near = space.nearest(spaces.keys[article_id], NEAR) or []
        known = items(opened, [article for article, _ in near])
        if known:
            found[name] = [known[article].on(note=f"cosine {cosine:.2f}") for article, cosine in near]
    return found


def _facts(sold: pl.DataFrame) -> dict[str, str]:
    if sold.is_empty():
        return {"units sold": "0"}
    first, last = sold["day"].to_physical().sort()[[0, -1]]
    return {
        "units sold": count(sold.height),
        "buyers": count(sold["customer"].n_unique()),
        "first sold": str(date_of(first)),
        "last sold": str(date_of(last)),
    }


def _weekly(opened: OpenRun, sold: pl.DataFrame) -> Lines:
    units = opened.whole.by_week(sold.lazy().group_by(opened.whole.week().alias(WEEK)).agg(units=pl.len()))["units"]
    weeks = opened.whole.weeks
    there = [number for number, value in enumerate(units) if value]
    part = slice(there[0], there[-1] + 1) if there else slice(0, 0)
    return Lines("Units a week", WEEK, weeks[part], {"units": [value or 0 for value in units[part]]})


def _ages(opened: OpenRun, sold: pl.DataFrame) -> Bars | None:
    if not opened.history.has("age") or sold.is_empty():
        return None
    buyers = opened.history.customers.join(sold.lazy().select("customer").unique(), on="customer", how="semi")
    bands = opened.engine.collect(
        buyers.group_by(band=pl.col("age") // YEARS * YEARS).agg(n=pl.len()).sort("band", nulls_last=True)
    )
    known = [("unknown" if band is None else f"{band}–{band + YEARS - 1}", n) for band, n in bands.iter_rows()]
    return Bars("Buyers by age", [(name, n, count(n)) for name, n in known])


def _channels(opened: OpenRun, sold: pl.DataFrame) -> Bars | None:
    if not opened.history.has("channel") or sold.is_empty():
        return None
    names = list(map(str, opened.store.manifest.settings["channels"]))  # type: ignore[arg-type]
    parts = [(name, float((sold["channel"] == code).mean() or 0.0)) for code, name in enumerate(names)]  # type: ignore[arg-type]
    return Bars("Units by sales channel", [(name, part, share(part)) for name, part in parts])


def _together(opened: OpenRun, sold: pl.DataFrame, article: int) -> list[Item]:
    baskets = sold.lazy().select("customer", "day").unique()
    others = opened.history.transactions.join(baskets, on=["customer", "day"], how="semi")
    counted = (
        others.filter(pl.col("article") != article)
        .group_by("article")
        .agg(baskets=pl.struct("customer", "day").n_unique())
        .sort("baskets", "article", descending=[True, False])
    )
    rows = opened.engine.collect(counted.head(NEAR))
    known, all_of_them = items(opened, rows["article"]), sold.select("customer", "day").n_unique()
    return [known[other].on(note=f"in {n} of {count(all_of_them)} baskets") for other, n in rows.iter_rows()]
