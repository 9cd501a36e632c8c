"""Explain the lists of a finished run: what it recommends, and why."""

import json
from collections.abc import Sequence

import polars as pl
from rich.table import Table

from hmgpu.parts.ranker import AVERAGE, START
from hmgpu.pipeline.explain import Reason, facts_of_all, reasons_of
from hmgpu.serving.finished_run import FinishedRun
from hmgpu.serving.learned_run import ENGINE, LearnedRun
from hmgpu.serving.lookup import served

SHORT = 16  # characters of a customer's id
MOST_SHOWN = 3  # retrievers and parts named in a table


def explained(run: FinishedRun, customers: Sequence[str], k: int | None = None) -> tuple[list[Reason], list[str]]:
    """Explain the lists of `customers` (ids, each once), in their order; also return the ids that the run doesn't know.

    It needs the run's data set. Raises what `LearnedRun.open` raises.
    """
    learned, (found, unknown) = LearnedRun.open(run), served(run, customers)
    store = learned.context.store
    ids = ENGINE.collect(store.customer_ids().filter(pl.col("customer_id").is_in(list(customers))))
    keys = dict(ids.select("customer_id", "customer").iter_rows())
    ranked = found.with_columns(rank=pl.int_ranges(1, pl.col("articles").list.len() + 1)).explode("articles", "rank")
    articles = store.article_ids().select("article", "article_id", articles="article_id")
    named = ranked.join(ENGINE.collect(articles), on="articles", how="left", maintain_order="left")
    lists = named.filter(pl.col("rank") <= (k or found["articles"].list.len().max() or 0))
    known = ids.select("customer").sort("customer")
    pairs = lists.join(ids, on="customer_id").select("customer", "article").sort(pl.all())
    facts = facts_of_all(learned.context, learned.model, learned.propose_for, known, pairs)
    return reasons_of(lists, {each: keys.get(each) for each in customers}, facts), unknown


def as_csv(reasons: Sequence[Reason], run: FinishedRun) -> str:
    """Return the reasons as CSV, a row each; retrievers and contributions are JSON, as with `--json`."""
    rows = [
        {
            run.customer_column: each.customer_id,
            "rank": each.rank,
            "article_id": each.article_id,
            "sentence": each.sentence,
            "retrievers": json.dumps(each.retrievers),
            "contributions": json.dumps(each.contributions),
        }
        for each in reasons
    ]
    return pl.DataFrame(rows).write_csv()


def unexplained(reasons: Sequence[Reason], run: FinishedRun) -> str | None:
    """Return a sentence where the run's ranker gives no contributions, though candidates are listed; else None."""
    if any(each.contributions for each in reasons) or not any(each.retrievers for each in reasons):
        return None
    kind = run.config["ranker"]["kind"]
    return f"The scores of the ranker {kind} of this run are no sums of columns: retrievers alone say why."


def reason_table(reasons: Sequence[Reason]) -> Table:
    """Return the reasons as a table for the terminal."""
    table = Table("customer", "rank", "article", "why", "proposed by (rank)", "what adds most to its score")
    for each in reasons:
        proposed = [f"{name} ({rank})" for name, (rank, _) in each.retrievers.items()]
        customer = each.customer_id if len(each.customer_id) <= SHORT else f"{each.customer_id[: SHORT - 1]}…"
        first = customer if each.rank == 1 else ""
        told = each.sentence, ", ".join(proposed[:MOST_SHOWN]), _most(each)
        table.add_row(first, str(each.rank), each.article_id, *told, end_section=False)
    return table


def _most(reason: Reason) -> str:
    """Name the parts that add most to the score that decides the order."""
    *_, last = [{}, *reason.contributions.values()]
    parts = [(-value, name) for name, value in last.items() if name not in (START, AVERAGE) and value > 0]
    return ", ".join(f"{name.rpartition('.')[2]} {-value:+.2f}" for value, name in sorted(parts)[:MOST_SHOWN])
