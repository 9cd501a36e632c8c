"""How the tests of parts ask a part: learn from a history, then propose or describe."""

from collections.abc import Iterable

import polars as pl

from hmgpu.describe import join_columns


def described(part, history, engine, pairs: list[tuple[int, int]]) -> dict[tuple[int, int], dict]:
    """The family's columns of each (customer, article)."""
    asked = pl.LazyFrame(pairs, schema={"customer": pl.Int32, "article": pl.Int32}, orient="row")
    learned = {name: engine.collect(plan).lazy() for name, plan in part.learn(history).items()}
    rows = engine.collect(join_columns(asked, part.compute(learned, asked), "it")).to_dicts()
    return {(row.pop("customer"), row.pop("article")): row for row in rows}


def scored(part, history, engine, customers: Iterable[int] = (1,)) -> dict[int, list[tuple[int, int]]]:
    """(article, score) of each customer, by rank."""
    learned = {name: engine.collect(plan).lazy() for name, plan in part.learn(history).items()}
    asked = pl.LazyFrame({"customer": list(customers)}, schema={"customer": pl.Int32})
    found = engine.collect(part.retrieve(learned, asked).sort("customer", "rank"))
    return {c: found.filter(pl.col("customer") == c).select("article", "score").rows() for c in customers}


def proposed(part, history, engine, customers: Iterable[int] = (1,)) -> dict[int, list[int]]:
    """Articles of each customer, by rank."""
    return {c: [article for article, _ in rows] for c, rows in scored(part, history, engine, customers).items()}
