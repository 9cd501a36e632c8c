"""Write one table of all candidates: every retriever's and ranker's score and rank, all features, and what was bought.

    manifest.json             run, data, code, each column with the part behind it, the weeks, every file's sha256
    config.yaml               the run's settings
    2020-09-16/000.parquet    a week's candidates, one file for each shard of customers

A week's rows are what examples are: the same call describes them, from what was known before the week, and what was
bought is joined afterwards. A ranker's scores are null in weeks that it was fitted on.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hmgpu.core.errors import ConfigError, DataError
from hmgpu.core.files import hashes, write_json
from hmgpu.core.parquet import schema_of
from hmgpu.core.whole_folder import NAME, replaced
from hmgpu.data.weeks import Week
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.ranker import all_within
from hmgpu.pipeline.ids import IDS
from hmgpu.pipeline.learn import TABLE
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.pipeline.table_steps import BOUGHT, RANKER, WEEK, TableWeek, week_steps
from hmgpu.runs.run import MANIFEST, Step

FORMAT = "hmgpu table 1"


def write_table(pipeline: Pipeline, weeks: Sequence[Week], out: Path, ids: bool = True) -> list[Path]:
    """Write the folder `out`, or replace it where it is an earlier table; return its Parquet files, oldest week first.

    What is computed is kept in the run, so that a table whose writing was stopped goes on where it was.

    Args:
        weeks: past weeks, of which the buyers get rows; the week after the data, in which all customers do.
        ids: whether customers and articles have the retailer's ids as text, or their int32 keys; `customers.parquet`
            and `articles.parquet` then say which id each key has.

    Raises ConfigError for a week before the first training week, DataError for one in which nobody bought, RunError
    where `out` is anything but new, empty or an earlier table.
    """
    asked = sorted({*weeks})
    _check(pipeline, asked)
    context = pipeline.context
    with replaced(out.resolve(), "table") as draft:
        known = {week: pipeline.ranker_of(week) for week in asked if week not in pipeline.weeks.training}
        # The same columns in every table of a run, also in one of weeks whose scores are unknown.
        names = tuple(all_within(pipeline.load(pipeline.ranker_of(pipeline.weeks.validation)), RANKER))
        parts: dict[str, str] = {}
        facts = []
        for week in asked:
            on = TableWeek(week, known.get(week), names, ids)
            steps, found = week_steps(context, on)
            parts |= found
            (draft / str(week)).mkdir()
            for number, step in enumerate(steps):
                _link(step.folder / TABLE, draft / str(week) / f"{number:03}.parquet")
            facts.append(_facts(pipeline, on, steps))
        if not ids:
            context.engine.write(context.store.customer_ids().sort("customer"), draft / "customers.parquet")
            context.engine.write(context.store.article_ids().sort("article"), draft / "articles.parquet")
        shutil.copyfile(pipeline.run.folder / "config.yaml", draft / "config.yaml")
        files = sorted(file.relative_to(draft) for file in draft.glob("*/*.parquet"))
        columns = [
            {"name": name, "type": str(kind), "part": _part_of(name, parts)}
            for name, kind in schema_of(draft / files[0]).items()
        ]
        run = json.loads((pipeline.run.folder / MANIFEST).read_text(encoding="utf-8"))
        said = {"format": FORMAT, "run": pipeline.run.folder.name, **run, "columns": columns, "weeks": facts}
        write_json(draft / NAME, said | {"files": hashes(draft)})
    return [out / file for file in files]


def _check(pipeline: Pipeline, weeks: Sequence[Week]) -> None:
    first = pipeline.weeks.training[0]
    for week in weeks:
        if week < first:  # quotas and trained models were told what was bought in it
            raise ConfigError(
                f"The week {week} is before {first}, the first training week, and models know what was bought in it: "
                "take a later week, or an earlier weeks.validation."
            )
        if (
            week != pipeline.store.next_week
            and not pipeline.engine.collect(pipeline.store.sold_in(week).head(1)).height
        ):
            raise DataError(f"Nobody bought in the week {week}: there is nothing to write of it; take another week.")


def _facts(pipeline: Pipeline, on: TableWeek, steps: Sequence[Step]) -> dict[str, Any]:
    """Return what the manifest says of a week."""
    weeks, counts = pipeline.weeks, [json.loads((step.folder / MANIFEST).read_text())["counts"] for step in steps]
    purpose = "evaluation"
    if on.week in weeks.training:
        purpose = "training"
    elif on.week == weeks.validation:
        purpose = "validation"
    elif on.week == pipeline.store.next_week:
        purpose = "serving"
    return {
        "week": str(on.week),
        "purpose": purpose,
        "ranker_scores": on.fitted is not None,
        "rows": sum(each["rows"] for each in counts),
        "bought": None if purpose == "serving" else sum(each[BOUGHT] for each in counts),
        "files": len(steps),
    }


def _part_of(column: str, parts: Mapping[str, str]) -> str | None:
    """Return the part behind a column; None for keys, the week and what was bought."""
    if column in (*KEYS, *IDS, WEEK, BOUGHT):
        return None
    return parts.get(column, RANKER)


def _link(source: Path, target: Path) -> None:
    """Put a file that a step wrote into the table: without a copy where both are on one disk."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
