"""Sales week by week: units, customers, articles and channels."""

import polars as pl

from hmgpu.core.html.blocks import Facts, Section, count, share
from hmgpu.core.html.lines import Lines
from hmgpu.data.explore.whole import WEEK, Whole

LEAD = "One row of the transactions is one unit bought. The charts leave out weeks that the data covers only in part."


def sales(whole: Whole) -> Section:
    """The section with units, customers and articles a week, and the channels' shares."""
    manifest, rows = whole.store.manifest, whole.history.transactions
    number = {"units": pl.len(), "customers": pl.col("customer").n_unique(), "articles": pl.col("article").n_unique()}
    weekly = whole.by_week(rows.group_by(whole.week().alias(WEEK)).agg(**number))
    facts = {
        "units": count(manifest.rows),
        "customers": count(manifest.customers),
        "articles": count(manifest.articles),
        "whole weeks": count(len(whole.weeks)),
    }
    blocks: list[object] = [
        Facts(facts),
        Lines("Units a week", WEEK, whole.weeks, {"units": weekly["units"]}),
        Lines("Customers who buy in a week", WEEK, whole.weeks, {"customers": weekly["customers"]}),
        Lines("Articles sold in a week", WEEK, whole.weeks, {"articles": weekly["articles"]}),
    ]
    if whole.history.has("channel"):
        blocks.append(_channels(whole))
    return Section("Sales", LEAD, blocks)


def _channels(whole: Whole) -> Lines:
    names: list[str] = list(whole.store.manifest.settings["channels"])  # type: ignore[arg-type]
    shares = {
        name: (pl.col("channel") == code).cast(pl.Int64).sum().cast(pl.Float64) / pl.len()
        for code, name in enumerate(names)
    }
    weekly = whole.by_week(whole.history.transactions.group_by(whole.week().alias(WEEK)).agg(**shares))
    return Lines("Share of a week's units by sales channel", WEEK, whole.weeks, weekly, share)
