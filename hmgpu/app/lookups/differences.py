"""The customers whose lists differ most between two runs, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from hmgpu.app.lookups.customers import id_of
from hmgpu.app.lookups.items import Item, items
from hmgpu.app.lookups.opened import HeldOutWeek, OpenRun
from hmgpu.core.errors import RunError


@dataclass(frozen=True)
class Differing:
    """One customer's lists of both runs for the same week."""

    customer_id: str
    shared: int
    """How many articles both lists hold."""
    average_precisions: tuple[float, float]
    lists: tuple[Sequence[Item], Sequence[Item]]


def differing_lists(first: OpenRun, second: OpenRun, most: int) -> list[Differing]:
    """Return the `most` customers whose lists share the fewest articles; of equals, those whose precision differs more.

    Raises RunError unless both runs were evaluated on the same week.
    """
    weeks = [opened.held_out for opened in (first, second)]
    if weeks[0] is None or weeks[1] is None or weeks[0].week != weeks[1].week:
        raise RunError(f"{first.name} and {second.name} were not evaluated on the same week: evaluate both on one.")
    pairs = [week.lists.select("customer", "article") for week in (weeks[0], weeks[1])]
    shared = pairs[0].join(pairs[1], on=["customer", "article"]).group_by("customer").agg(shared=pl.len())
    precisions = (
        weeks[0]
        .precisions.select("customer", a="ranker")
        .join(weeks[1].precisions.select("customer", b="ranker"), on="customer")
    )
    rows = precisions.join(shared, on="customer", how="left").with_columns(pl.col("shared").fill_null(0))
    apart = rows.with_columns(gap=(pl.col("a") - pl.col("b")).abs())
    chosen = apart.sort("shared", "gap", "customer", descending=[False, True, False]).head(most)
    return [
        Differing(
            id_of(first, row["customer"]),
            row["shared"],
            (row["a"], row["b"]),
            (_list(first, weeks[0], row["customer"]), _list(second, weeks[1], row["customer"])),
        )
        for row in chosen.iter_rows(named=True)
    ]


def _list(opened: OpenRun, week: HeldOutWeek, customer: int) -> list[Item]:
    mine = pl.col("customer") == customer
    listed, bought = week.lists.filter(mine).sort("rank"), week.bought.filter(mine)["article"].to_list()
    known = items(opened, listed["article"])
    return [
        known[article].on(rank, hit=article in bought) for article, rank in listed.select("article", "rank").iter_rows()
    ]
