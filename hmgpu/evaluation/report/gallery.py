"""Lists as people see them: the articles' pictures, or tiles in their colours."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.html.tiles import Gallery, Shelf, Tile
from hmgpu.data.colours import article_colour
from hmgpu.data.store import Store
from hmgpu.evaluation.report.pictures import picture

LATEST = 6  # purchases shown


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
    return Tile(row.get("name") or row["article_id"], about, article_colour(row), image)
