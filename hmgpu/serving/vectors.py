"""Export the article vectors of every retriever that has some, with the retailer's ids."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl

from hmgpu.core.parquet import scan_table, schema_of
from hmgpu.pipeline.served_tables import ARTICLES
from hmgpu.serving.finished_run import FinishedRun

STEPS = 2048  # of a vector of length 1; as in space.topk, which loads torch
RETRIEVER = "retriever-"


def write_vectors(run: FinishedRun, folder: Path) -> None:
    """Write `<retriever>.parquet` (article_id, vector list[float32], on_sale) for each into the existing `folder`.

    Raises RunError where a file of the run was changed.
    """
    ids = scan_table(run.submitted.file(ARTICLES))
    for learned in (step for step in run.sources if step.folder.name.startswith(RETRIEVER)):
        for name in (name for name in sorted(learned.files) if name.endswith(".parquet")):
            file = learned.file(name)
            schema = schema_of(file)
            places = places_of_vectors(schema)
            if "article" not in schema or not places:
                continue
            table = scan_table(file).join(ids, on="article").sort("article").collect()
            matrix = table.select(places).to_numpy().astype(np.float32) / STEPS
            others = [pl.col("on_sale").cast(pl.Boolean)] if "on_sale" in schema else []
            vectors = pl.Series("vector", matrix, dtype=pl.Array(pl.Float32, len(places))).arr.to_list()
            named = table.select("article_id", *others).insert_column(1, vectors)
            stem = Path(name).stem
            part = learned.folder.name.removeprefix(RETRIEVER)
            named.write_parquet(folder / (f"{part}.parquet" if stem == "articles" else f"{part}-{stem}.parquet"))


def places_of_vectors(columns: Iterable[str]) -> list[str]:
    """Return those of `columns` that hold the numbers of a vector."""
    return [column for column in columns if column.startswith("v") and column[1:].isdigit()]
