"""Twelve articles for the customers that are asked for, looked up in what a finished run has made."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl
from rich.table import Table

from hmgpu.core.errors import RunError
from hmgpu.pipeline.served_tables import BEST_SELLERS, RECOMMENDATIONS
from hmgpu.serving.customers import customers_asked
from hmgpu.serving.finished_run import FinishedRun

FEW = 8  # customers whom `==` finds sooner: only then does Polars pass over row groups by their least and greatest id


def look_up(run: FinishedRun, asked: Iterable[str]) -> tuple[pl.DataFrame, list[str]]:
    """The lists of the customers `asked`, in that order and each once, and those of them whom the run does not know.

    Who is not known gets the best sellers, as a new customer does.

    Args:
        asked: customer ids, and files of them; see `customers_asked`.

    Returns:
        (customer_id, articles: a list of twelve ids, the best first), and the ids that are not known.

    Raises DataError for what is no customer id, RunError where a file of the run was changed.
    """
    return served(run, customers_asked(asked, _pattern(run)))


def served(run: FinishedRun, customers: Sequence[str]) -> tuple[pl.DataFrame, list[str]]:
    """What `look_up` returns, of customer ids that are each given once."""
    file = run.submitted.file(RECOMMENDATIONS)
    lists = pl.scan_parquet(file, glob=False).filter(_one_of(customers)).select("customer_id", "articles")
    found = pl.DataFrame({"customer_id": customers}, schema={"customer_id": pl.String}).join(
        lists.collect(engine="streaming"), on="customer_id", how="left", maintain_order="left"
    )
    unknown = found.filter(pl.col("articles").is_null())["customer_id"].to_list()
    if unknown:
        best = pl.read_parquet(run.submitted.file(BEST_SELLERS)).sort("rank")["article_id"]
        found = found.with_columns(pl.col("articles").fill_null(best.implode()))
    return found, unknown


def as_csv(found: pl.DataFrame) -> str:
    """The lists as a submission writes them: `customer_id,prediction`, ids separated by spaces."""
    return found.select("customer_id", prediction=pl.col("articles").list.join(" ")).write_csv()


def list_table(found: pl.DataFrame, run: Path) -> Table:
    """The lists for the terminal."""
    table = Table(title=f"Twelve articles a customer, from {run}", show_lines=True)
    for heading in ("customer", "articles"):
        table.add_column(heading, overflow="fold")
    for customer, articles in found.iter_rows():
        table.add_row(customer, " ".join(articles))
    return table


def unknown_warning(unknown: Sequence[str], run: Path) -> str:
    """One sentence."""
    named = ", ".join(unknown[:3]) + (", …" if len(unknown) > 3 else "")
    who = "1 customer is" if len(unknown) == 1 else f"{len(unknown):,} customers are"
    return f"Warning: {who} not known to {run} and get its best sellers: {named}"


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
        raise RunError(f"{run.folder / 'config.yaml'} has no data.customer_pattern: make the run anew.") from None
    return str(pattern)
