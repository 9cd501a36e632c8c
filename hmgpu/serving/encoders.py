"""Export the NVTabular workflows as tables: what each code stands for, and how numbers are normalised.

    encoders/<side>/<column>.parquet     (code int32, value str: the retailer's text, null if it was missing)
    encoders/<side>/<column>.means.parquet   (value str, mean float64) of the groups of a ratio
    encoders/numbers.json                by side and column `encoding`, `median`, `mean`, `std`; for a ratio also `of`

Code 0 is padding, 1 a missing value, 2 a value that was unknown or too rare. A number is filled with its median,
logged as log(1 + x) where it is an `amount`, and then (x - mean) / std. A `ratio` is the first column of `of` over its
mean in the group of the second.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.core.files import write_json
from hmgpu.core.parquet import read_table
from hmgpu.parts.models.encode.rows import UNKNOWN
from hmgpu.pipeline.served_tables import ARTICLES, CODES, RECOMMENDATIONS
from hmgpu.serving.finished_run import FinishedRun, FinishedStep

ENCODE = "encoders.json"  # the file by which a step with workflows is known


def write_encoders(run: FinishedRun, step: FinishedStep, folder: Path) -> None:
    """Write the workflows of `step` into the existing `folder`.

    Raises RunError where a file of the run was changed.
    """
    from hmgpu.core.engine import Engine
    from hmgpu.parts.models.encode.columns import SIDES, columns
    from hmgpu.parts.models.encode.few_rows import categories_of, moments_of
    from hmgpu.parts.models.encode.workflow import Encoders  # loads Merlin, which takes seconds

    for name in step.files:  # a pickle of an older version is refused
        step.file(name)
    encoders = Encoders.load(step.folder, Engine("cpu", "export"))
    texts = CodeTexts.read(run)
    numbers: dict[str, dict[str, Any]] = {}
    for side in SIDES:
        (folder / side).mkdir()
        moments = moments_of(encoders.workflows[side])
        numbers[side] = {}
        for column in columns(side, encoders.present):
            if column.encoding == "category":
                known = categories_of(step.folder / side, column.name)
                values = texts.of(column.name, known["value"])
                pl.DataFrame({"code": known["code"], "value": values}).write_parquet(
                    folder / side / f"{column.name}.parquet"
                )
                continue
            numbers[side][column.name] = {"encoding": column.encoding} | moments[column.name]
            if column.encoding == "ratio":
                value, group = column.needs
                numbers[side][column.name]["of"] = list(column.needs)
                means = read_table(step.folder / side / "categories" / f"cat_stats.{group}.parquet")
                named = means.select(value=texts.of(group, means[group]), mean=f"{group}_{value}_mean")
                named.write_parquet(folder / side / f"{column.name}.means.parquet")
    write_json(folder / "numbers.json", numbers)


class CodeTexts:
    """The retailer's texts that the data set's codes stand for."""

    def __init__(self, by_column: Mapping[str, pl.DataFrame]) -> None:
        self._by_column = by_column

    @classmethod
    def read(cls, run: FinishedRun) -> "CodeTexts":
        """Read the texts that the run is served with."""
        step = run.submitted
        codes = read_table(step.file(CODES)).partition_by("column", as_dict=True, include_key=False)
        tables = {str(column): table for (column,), table in codes.items()}
        tables["article"] = _as_codes(read_table(step.file(ARTICLES)))
        tables["customer"] = _as_codes(read_table(step.file(RECOMMENDATIONS), columns=["customer", "customer_id"]))
        channels: Sequence[str] = run.config["data"]["channels"]
        tables["channel"] = pl.DataFrame({"code": range(len(channels)), "value": channels})
        return cls(tables)

    def of(self, column: str, codes: pl.Series) -> pl.Series:
        """Return the text of each of `codes`; a number that isn't a code, such as a flag, is written as it is."""
        asked = pl.DataFrame({"code": codes.cast(pl.Int32)})
        if column not in self._by_column:
            return asked.select(value=pl.when(pl.col("code") != UNKNOWN).then(pl.col("code").cast(pl.String)))["value"]
        table = self._by_column[column].select(pl.col("code").cast(pl.Int32), "value")
        return asked.join(table, on="code", how="left", maintain_order="left")["value"]


def _as_codes(ids: pl.DataFrame) -> pl.DataFrame:
    """Rename (key, id) to (code, value)."""
    return ids.rename(dict(zip(ids.columns, ("code", "value"), strict=True)))
