"""Why an article is on a list, in one sentence that its customer understands: each clause is true of the data."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from types import MappingProxyType
from typing import Any

import polars as pl

from hmgpu.data.weeks import date_of
from hmgpu.parts.candidates import KEYS, RANK
from hmgpu.parts.ranker import Model
from hmgpu.pipeline.context import StepContext
from hmgpu.pipeline.describe import ProposedCandidates
from hmgpu.pipeline.families import retriever_step

CLAUSES = 2
FILLED_UP = "best seller of the last weeks"
Pair = tuple[int, int]


@dataclass(frozen=True)
class Led:
    """The customer's own article that led to a candidate."""

    article: int
    day: int
    """When the customer last bought it."""


def sentences(
    context: StepContext,
    proposed: ProposedCandidates,
    listed: pl.DataFrame,
    adds: Mapping[Pair, Mapping[str, float]] = MappingProxyType({}),
) -> list[str]:
    """Return a sentence for each row of `listed`: why the retrievers that matter most proposed it.

    Reasons that name one of the customer's own articles come first, then those of the retrievers that add most to the
    score, then those of the best ranks; ties go by the retrievers' order. What no retriever proposed is `FILLED_UP`.

    Args:
        listed: (customer, article, every retriever's rank).
        adds: what each part of the config adds to the score that decides the order; a pair may be missing.
    """
    led = {name: _led(context, proposed, name, listed) for name in context.retrievers}
    shown = {each.article for found in led.values() for each in found.values()} | set(listed["article"])
    rows = _catalogue(context, shown)
    return [_sentence(context, led, adds, rows, row) for row in listed.iter_rows(named=True)]


def _sentence(
    context: StepContext,
    led: Mapping[str, Mapping[Pair, Led]],
    adds: Mapping[Pair, Mapping[str, float]],
    catalogue: Mapping[int, Mapping[str, Any]],
    row: Mapping[str, Any],
) -> str:
    pair = row["customer"], row["article"]
    ranks = [(name, row[f"{name}{RANK}"]) for name in context.retrievers if row[f"{name}{RANK}"] is not None]
    worth = adds.get(pair, {})
    ordered = sorted(
        ranks, key=lambda each: (pair not in led[each[0]], -worth.get(f"retrievers.{each[0]}", 0.0), each[1])
    )
    clauses = list[str]()
    for name, _ in ordered:
        own = led[name].get(pair)
        clause = _filled(context.retrievers[name].reason(), own, catalogue, catalogue[row["article"]])
        if clause is not None and clause not in clauses:
            clauses.append(clause)
    return as_sentence("; ".join(clauses[:CLAUSES]) or FILLED_UP)


def as_sentence(text: str) -> str:
    """Return `text` with a capital letter and a full stop."""
    return f"{text[0].upper()}{text[1:]}."


def _filled(
    reason: str, own: Led | None, catalogue: Mapping[int, Mapping[str, Any]], article: Mapping[str, Any]
) -> str | None:
    """Fill in the names that `reason` asks for; None where it asks for an article of the customer's and has none."""
    values = dict[str, str]()
    for _, name, _, _ in Formatter().parse(reason):
        if name in ("because", "when"):
            if own is None:
                return None
            date = date_of(own.day)
            values |= {"because": _name(catalogue[own.article]), "when": f"on {date.day} {date:%B %Y}"}
        elif name:
            values[name] = str(article.get(name) or f"its {name.removesuffix('_name').replace('_', ' ')}")
    return reason.format(**values)


def _led(context: StepContext, proposed: ProposedCandidates, name: str, listed: pl.DataFrame) -> dict[Pair, Led]:
    """Return which of their own articles led the retriever `name` to its candidates among `listed`."""
    part, pairs = context.learning.bind(context.retrievers[name]), listed.filter(pl.col(f"{name}{RANK}").is_not_null())
    found = part.because(proposed.tables[retriever_step(name)], pairs.lazy().select(KEYS), proposed.audience)
    if found is None or pairs.is_empty():
        return {}
    days = proposed.audience.transactions.group_by("customer", because="article").agg(day=pl.col("day").max())
    table = context.engine.collect(found.join(days, on=["customer", "because"]).select(*KEYS, "because", "day"))
    return {(customer, article): Led(own, day) for customer, article, own, day in table.iter_rows()}


def _catalogue(context: StepContext, articles: set[int]) -> dict[int, Mapping[str, Any]]:
    wanted = pl.col("article").is_in(sorted(articles))
    rows = context.engine.collect(context.store.articles().filter(wanted))
    return {row["article"]: row for row in rows.iter_rows(named=True)}


def _name(article: Mapping[str, Any]) -> str:
    return str(article.get("name") or article.get("product_type_name") or f"article {article['article_id']}")


def ranks_of(retrievers: Iterable[str], row: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield each of `retrievers` that proposed the candidate `row`, with its rank there, the best first."""
    found = [(row[f"{name}{RANK}"], place, name) for place, name in enumerate(retrievers)]
    for rank, _, name in sorted((rank, place, name) for rank, place, name in found if rank is not None):
        yield name, rank


def added_by_part(model: Model, described: pl.DataFrame, parts: Mapping[str, str]) -> dict[str, list[dict[str, float]]]:
    """Return what each part of the config adds to the score of each row of `described`, for every stage of `model`.

    Args:
        parts: the part behind each column.
    """
    return {stage: _summed(table, parts).to_dicts() for stage, table in model.contributions(described).items()}


def deciding(stages: Mapping[str, Sequence[Mapping[str, float]]], described: pl.DataFrame) -> dict[Pair, Any]:
    """Return the last of the `stages` that `added_by_part` returned, by the pairs of `described`."""
    *_, last = [[], *stages.values()]
    return dict(zip(described.select(KEYS).iter_rows(), last, strict=bool(stages)))


def _summed(table: pl.DataFrame, parts: Mapping[str, str]) -> pl.DataFrame:
    """Add up the columns of `table` by part, in float64."""
    return table.select(
        pl.sum_horizontal(pl.col(column).cast(pl.Float64) for column in columns).alias(part)
        for part, columns in by_part(table.columns, parts).items()
    )


def by_part(columns: Sequence[str], parts: Mapping[str, str]) -> dict[str, list[str]]:
    """Group `columns` by the part that computed them; what belongs to none is a group of its own name."""
    groups = dict[str, list[str]]()
    for column in columns:
        groups.setdefault(parts.get(column, column), []).append(column)
    return groups
