"""Look up the lists of the customers that are asked for in a finished run."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl
from rich.table import Table

from hmgpu.core.errors import RunError
from hmgpu.core.parquet import read_table, scan_table
from hmgpu.core.words import counted
from hmgpu.pipeline.lists import separator
from hmgpu.pipeline.served_tables import ARTICLES, BEST_SELLERS, RECOMMENDATIONS
from hmgpu.serving.customers import customers_asked
from hmgpu.serving.finished_run import AGAIN, FinishedRun

FEW = 8  # up to so many, `==` is faster: only with it does Polars skip row groups by their least and greatest id


def look_up(run: FinishedRun, asked: Iterable[str]) -> tuple[pl.DataFrame, list[str]]:
    """Return the lists of the customers `asked`, in that order and each once, and the ids that the run doesn't know.

    Unknown customers get the best sellers, as new customers do.

    Args:
        asked: customer ids, and files of ids; see `customers_asked`.

    Returns:
        (customer_id, articles: a list of article ids, the best first), and the unknown ids.

    Raises DataError for text that is not a customer id, RunError where a file of the run was changed.
    """
    pattern = _pattern(run)
    clean = run.config["data"].get("clean_ids") or ()
    return served(run, customers_asked(asked, pattern, run.customer_column, clean))


def served(run: FinishedRun, customers: Sequence[str]) -> tuple[pl.DataFrame, list[str]]:
    """Return what `look_up` does, for customer ids that are each given once."""
    file = run.submitted.file(RECOMMENDATIONS)
    lists = scan_table(file).filter(_one_of(customers)).select("customer_id", "articles")
    found = pl.DataFrame({"customer_id": customers}, schema={"customer_id": pl.String}).join(
        lists.collect(engine="streaming"), on="customer_id", how="left", maintain_order="left"
    )
    unknown = found.filter(pl.col("articles").is_null())["customer_id"].to_list()
    if unknown:
        best = read_table(run.submitted.file(BEST_SELLERS)).sort("rank")["article_id"]
        found = found.with_columns(pl.col("articles").fill_null(best.implode()))
    return found, unknown


def as_csv(found: pl.DataFrame, run: FinishedRun) -> str:
    """Return the lists in the format of the run's `submission.csv`; see `pipeline.lists.write_submission`."""
    between = separator(read_table(run.submitted.file(ARTICLES))["article_id"])
    return found.select(
        pl.col("customer_id").alias(run.customer_column), prediction=pl.col("articles").list.join(between)
    ).write_csv()


def list_table(found: pl.DataFrame, run: Path) -> Table:
    """Return the lists as a table for the terminal."""
    table = Table(title=f"The list of each customer, from {run}", show_lines=True)
    for heading in ("customer", "articles"):
        table.add_column(heading, overflow="fold")
    between = separator(found["articles"].explode())
    for customer, articles in found.iter_rows():
        table.add_row(customer, between.join(articles))
    return table


def unknown_warning(unknown: Sequence[str], run: Path) -> str:
    """Return one sentence about the customers that the run doesn't know."""
    named = ", ".join(unknown[:3]) + (", …" if len(unknown) > 3 else "")
    known, get = ("is not known", "gets") if len(unknown) == 1 else ("are not known", "get")
    return f"Warning: {counted(len(unknown), 'customer')} {known} to {run} and {get} its best sellers: {named}"


def _one_of(customers: Sequence[str]) -> pl.Expr:
    column = pl.col("customer_id")
    if len(customers) > FEW:
        return column.is_in(customers)
    return pl.any_horizontal(column == customer for customer in customers)


def _pattern(run: FinishedRun) -> str:
    try:
        pattern = run.config["data"]["customer_pattern"]
        pl.Series([""]).str.contains(f"^(?:{pattern})$")
    except (KeyError, TypeError, pl.exceptions.ComputeError):
        raise RunError(f"{run.folder / 'config.yaml'} has no data.customer_pattern: {AGAIN}.") from None
    return str(pattern)
