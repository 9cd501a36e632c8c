"""Export what the ranker saw of some customers: candidates of the validation week, with the retailer's ids."""

import json
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.core.parquet import read_table, scan_table, schema_of
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.examples import LABEL
from hmgpu.pipeline.learn import TABLE
from hmgpu.pipeline.served_tables import ARTICLES, RECOMMENDATIONS
from hmgpu.serving.finished_run import FinishedRun, FinishedStep

CANDIDATES, FEATURES = "candidates.parquet", "features.json"
MOST = 200  # customers


def write_candidates(run: FinishedRun, folder: Path) -> dict[str, Any] | None:
    """Write `candidates.parquet` into `folder`, and return its week and sizes; None where the run keeps no examples.

    (customer_id, article_id, the columns that the `features.json` of the exported model name, or all where it has
    none), of the first customers who bought in the validation week, sorted by the run's keys.
    """
    steps = _of_validation_week(run)
    if not steps:
        return None
    tables, missing = list[pl.DataFrame](), MOST
    names = _columns(run, steps[0])
    for step in steps:
        file = step.file(TABLE)
        some = scan_table(file).select("customer").unique().sort("customer").head(missing).collect()
        theirs = scan_table(file).join(some.lazy(), on="customer", how="semi").select(*KEYS, *names)
        tables.append(theirs.sort(KEYS).collect())
        missing -= some.height
        if missing <= 0:
            break
    found = pl.concat(tables)
    customers = scan_table(run.submitted.file(RECOMMENDATIONS)).select("customer", "customer_id")
    articles = read_table(run.submitted.file(ARTICLES))
    asked = found.lazy().select("customer").unique()
    named = found.join(customers.join(asked, on="customer", how="semi").collect(), on="customer").join(
        articles, on="article"
    )
    named.sort(KEYS).select("customer_id", "article_id", *names).write_parquet(folder / CANDIDATES)
    return {"week": steps[0].folder.parts[-3], "customers": MOST - missing, "rows": found.height}


def _of_validation_week(run: FinishedRun) -> list[FinishedStep]:
    """Return the steps with the examples of the last week that the ranker was fitted by, one a shard."""
    fits = [run.ranker, *run.steps_with(run.ranker.inputs, "fit")]  # a ranker that was fitted again names the first
    steps = run.steps_with(fits[-1].inputs, "*/examples/*")
    last = max((step.folder.parts[-3] for step in steps), default="")
    return [step for step in steps if step.folder.parts[-3] == last]


def _columns(run: FinishedRun, step: FinishedStep) -> list[str]:
    """Return the columns of the candidates in `step` that the exported model reads, in their order."""
    there = [name for name in schema_of(step.folder / TABLE) if name not in (*KEYS, LABEL)]
    files = [run.ranker.file(name) for name in run.ranker.files if Path(name).name == FEATURES]
    read = {name for file in files for name in json.loads(file.read_text(encoding="utf-8"))}
    return [name for name in there if name in read] if read else there
