"""Find customers, and look up what they bought, what they are recommended and what they bought afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

import polars as pl

from hmgpu.app.lookups.items import Item, items
from hmgpu.app.lookups.opened import OpenRun
from hmgpu.data.tables import CUSTOMERS
from hmgpu.data.weeks import date_of

SHOWN = 60  # purchases
FOUND = 20  # customers
Among = Literal["a hit", "purchases in the week", "anybody"]
CALLED = {"fn": "FN", "club": "club member", "news": "fashion news"}
HIDDEN = {"postal_code"}  # where somebody lives is nobody's business here


@dataclass(frozen=True)
class HeldOutList:
    """What a customer would have been recommended for the held-out week, and what they bought in it."""

    week: str
    average_precision: float
    listed: Sequence[Item]
    bought: Sequence[Item]


@dataclass(frozen=True)
class Customer:
    """A customer of a run."""

    customer: int
    customer_id: str
    profile: dict[str, str]
    """What the data set says of them, by what it is called."""
    units: int
    """All that they bought before the lists were made."""
    bought: Sequence[Item]
    """What they bought last, each article once a day, the latest first, with the date."""
    recommended: Sequence[Item]
    held_out: HeldOutList | None
    """None where they bought nothing in the held-out week, or the run was not evaluated."""


def find_customers(opened: OpenRun, text: str) -> list[str]:
    """Return the first customer ids that begin with `text`, in order."""
    ids, text = opened.lists.ids, text.strip()
    first = int(ids.search_sorted(text))
    return [each for each in ids[first : first + FOUND].to_list() if each.startswith(text)]


def any_customer(opened: OpenRun, among: Among, chance: Random) -> str | None:
    """Return a customer's id at random; None where there is no such customer."""
    held_out = opened.held_out
    if among == "anybody" or held_out is None:
        return str(opened.lists.ids[chance.randrange(len(opened.lists.ids))])
    buyers = held_out.precisions
    if among == "a hit":
        buyers = buyers.filter(pl.col("ranker") > 0)
    keys = buyers["customer"]
    return id_of(opened, int(keys[chance.randrange(len(keys))])) if len(keys) else None


def id_of(opened: OpenRun, customer: int) -> str:
    """Return the id of the customer with this key."""
    named = opened.store.customer_ids().filter(pl.col("customer") == customer)
    return str(opened.engine.collect(named)["customer_id"][0])


def customer_of(opened: OpenRun, customer_id: str) -> Customer | None:
    """Look a customer up; None where the run doesn't know them."""
    key = opened.lists.key(customer_id)
    if key is None:
        return None
    mine = pl.col("customer") == key
    rows = opened.engine.collect(
        opened.history.transactions.filter(mine).group_by("day", "article").agg(units=pl.len())
    ).sort("day", "article", descending=[True, False])
    listed, _ = opened.lists.of(customer_id, opened.lists.k)
    ids = opened.engine.collect(opened.store.article_ids().filter(pl.col("article_id").is_in(listed)))
    keys = dict(ids.select("article_id", "article").iter_rows())
    shown = rows.head(SHOWN)
    known = items(opened, [*shown["article"], *keys.values()])
    bought = [known[article].on(note=_when(day, units)) for day, article, units in shown.iter_rows()]
    recommended = [known[keys[each]].on(rank) for rank, each in enumerate(listed, 1)]
    units = int(rows["units"].sum())
    return Customer(key, customer_id, _profile(opened, key), units, bought, recommended, _held_out(opened, key))


def _when(day: int, units: int) -> str:
    return f"{date_of(day)}{f', {units} units' if units > 1 else ''}"


def _profile(opened: OpenRun, key: int) -> dict[str, str]:
    rows = opened.engine.collect(
        opened.store.known_before(opened.last_day + 1).customers.filter(pl.col("customer") == key)
    )
    if rows.is_empty():
        return {}
    row, found = rows.row(0, named=True), {}
    for column in CUSTOMERS:
        value = row.get(column.name)
        if column.required or value is None or column.name in HIDDEN:
            continue
        if column.kind == "code":
            named = opened.engine.collect(opened.store.values(column.name).filter(pl.col("code") == value))["value"]
            value = named[0] if len(named) else value
        elif column.kind == "flag":
            value = "yes" if value else "no"
        found[CALLED.get(column.name, column.name)] = str(value)
    return found


def _held_out(opened: OpenRun, key: int) -> HeldOutList | None:
    week = opened.held_out
    if week is None:
        return None
    mine = pl.col("customer") == key
    precision = week.precisions.filter(mine)["ranker"]
    if not len(precision):
        return None
    listed = dict(week.lists.filter(mine).sort("rank").select("article", "rank").iter_rows())
    bought = week.bought.filter(mine)["article"].to_list()
    known = items(opened, [*listed, *bought])
    return HeldOutList(
        str(week.week),
        float(precision[0]),
        [known[article].on(rank, hit=article in bought) for article, rank in listed.items()],
        [known[article].on(listed.get(article), hit=article in listed) for article in bought],
    )
