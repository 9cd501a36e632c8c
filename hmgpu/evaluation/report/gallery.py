"""Lists as people see them: the articles' pictures, or tiles in their colours."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.html.tiles import Gallery, Shelf, Tile
from hmgpu.data.store import Store
from hmgpu.evaluation.report.pictures import picture

LATEST = 6  # purchases shown
NEUTRAL = "#8b8f98"
COLOURS = {
    "black": "#26262b",
    "navy": "#1f2c4d",
    "white": "#f6f5f1",
    "chalk": "#e9e4da",
    "snow": "#f7f6f2",
    "slate": "#565c66",
    "grey": "#9a9b9f",
    "ash": "#9a9b9f",
    "sand": "#d8c4a0",
    "camel": "#b98a55",
    "beige": "#d9c7a8",
    "brown": "#6f4e37",
    "mole": "#7d6f63",
    "sky": "#a9c9e8",
    "denim": "#4f6e96",
    "turquoise": "#3fa7a3",
    "blue": "#3b5f9c",
    "blush": "#eec4c8",
    "fuchsia": "#c8327e",
    "pink": "#e59bb0",
    "brick": "#9c4636",
    "scarlet": "#c8202f",
    "red": "#b3262e",
    "orange": "#d9772b",
    "mustard": "#c99a2e",
    "gold": "#c2a14d",
    "yellow": "#ecd35b",
    "moss": "#5d6b3a",
    "mint": "#b5dcc6",
    "khaki": "#7a7650",
    "green": "#3f7d54",
    "lilac": "#b9a5cf",
    "purple": "#6d4b8d",
    "silver": "#b9bcc2",
    "metal": "#a5a8ad",
}
"""By a word in a colour's name."""


def gallery(lists: pl.DataFrame, customers: pl.DataFrame, store: Store, engine: Engine) -> Gallery:
    """For each customer what they bought last, and their list.

    Args:
        lists: (customer_id, rank, article_id).
        customers: (customer_id, customer) of those to show, in order; the key is null where a customer is not known.
    """
    bought = engine.collect(
        store.as_of(store.next_week.first_day)
        .transactions.join(customers.lazy().drop_nulls(), on="customer", how="semi")
        .group_by("customer", "article")
        .agg(day=pl.col("day").max())
        .sort("customer", "day", "article", descending=[False, True, False])
    )
    shown = [bought["article"].implode(), lists["article_id"].implode()]
    wanted = pl.col("article").is_in(shown[0]) | pl.col("article_id").is_in(shown[1])
    rows = engine.collect(store.articles().filter(wanted)).to_dicts()
    tiles = {row["article_id"]: _tile(row, store) for row in rows}
    ids = {row["article"]: row["article_id"] for row in rows}
    titled = []
    for customer_id, customer in customers.select("customer_id", "customer").iter_rows():
        latest = bought.filter(pl.col("customer") == pl.lit(customer, pl.Int32))["article"].head(LATEST)
        listed = lists.filter(pl.col("customer_id") == customer_id).sort("rank")["article_id"]
        before = Shelf("Bought before, the latest first", [tiles[ids[article]] for article in latest])
        after = Shelf("Recommended", [tiles[article] for article in listed if article in tiles])
        titled.append((f"Customer {customer_id[:16]}{'…' * (len(customer_id) > 16)}", (before, after)))
    return Gallery(titled)


def _tile(row: Mapping[str, Any], store: Store) -> Tile:
    about = ", ".join(str(row[name]) for name in ("product_type_name", "colour_name") if row.get(name))
    image = picture(store.pictures, row["article_id"])
    return Tile(row.get("name") or row["article_id"], about, _colour(row), image)


def _colour(row: Mapping[str, Any]) -> str:
    for name in ("colour_name", "colour_master_name"):
        words = str(row.get(name) or "").lower().split()
        # "Dark blue" is blue, "Denim blue" is denim.
        found = [COLOURS[word] for word in words if word in COLOURS]
        if found:
            return found[0]
    return NEUTRAL
