"""Articles as the pages show them: name, what it is, price, picture or colour."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from hmgpu.app.lookups.opened import OpenRun
from hmgpu.core.words import rounded
from hmgpu.data.colours import article_colour
from hmgpu.evaluation.report.pictures import picture

ABOUT = ("product_type_name", "colour_name")
SIZE = (240, 320)  # of a picture in pixels, at most: twice as many as a tile has, for sharp screens


@dataclass(frozen=True)
class Item:
    """One article on a shelf."""

    article: int
    article_id: str
    name: str
    about: str
    """Its type and colour."""
    price: str
    """What it last cost, as the retailer's own files write prices; empty where nobody knows."""
    colour: str
    """The colour of its tile where there is no picture, as #rrggbb."""
    picture: str | None
    """A `data:` address."""
    rank: int | None = None
    """Its place on a list."""
    note: str = ""
    """Why it is here."""
    hit: bool = False
    """Whether it was recommended and bought."""

    def on(self, rank: int | None = None, note: str = "", hit: bool = False) -> "Item":
        """Return the article as it stands on one shelf."""
        return replace(self, rank=rank, note=note, hit=hit)


def items(opened: OpenRun, articles: Iterable[int]) -> dict[int, Item]:
    """Return the articles with these keys, those that the data set has, by key."""
    wanted = pl.col("article").is_in(sorted({*articles}))
    rows = opened.engine.collect(opened.store.articles().filter(wanted))
    prices = _prices(opened, wanted)
    return {row["article"]: _item(row, prices.get(row["article"], ""), opened) for row in rows.iter_rows(named=True)}


def price_text(opened: OpenRun, price: float) -> str:
    """Return a price, in the data set's unit, as the retailer's own files write it."""
    manifest = opened.store.manifest
    return rounded(price * float(manifest.price_unit), manifest.currency or "")


def _prices(opened: OpenRun, wanted: pl.Expr) -> dict[int, str]:
    """Return the mean price on the last day on which each article was sold, as text."""
    if not opened.history.has("price"):
        return {}
    daily = opened.history.transactions.filter(wanted).group_by("article", "day")
    sums = daily.agg(price=pl.col("price").cast(pl.Int64).sum(), units=pl.len())
    last = opened.engine.collect(sums.sort("article", "day")).unique("article", keep="last")
    return {article: price_text(opened, price / units) for article, _, price, units in last.iter_rows()}


def _item(row: dict[str, Any], price: str, opened: OpenRun) -> Item:
    article_id = str(row["article_id"])
    return Item(
        article=row["article"],
        article_id=article_id,
        name=str(row.get("name") or article_id),
        about=", ".join(str(row[name]) for name in ABOUT if row.get(name)),
        price=price,
        colour=article_colour(row),
        picture=picture(opened.store.pictures, article_id, SIZE),
    )
