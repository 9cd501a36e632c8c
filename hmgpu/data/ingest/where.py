"""Leave out rows of a transactions file by `data.where`, an expression of SQL over the file's own columns."""

from dataclasses import replace

import numpy as np
import polars as pl

from hmgpu.core.errors import DataError
from hmgpu.data.ingest.columns import FOR_WHERE
from hmgpu.data.ingest.rows import Rows


def rows_where(condition: str, rows: Rows, path: object) -> tuple[Rows, int]:
    """Return the `rows` for which `condition` is true, without the columns that only it reads, and how many are not.

    Raises DataError where it can't be computed.
    """
    raw = {name: name.removeprefix(FOR_WHERE) for name in rows.frame.columns if name.startswith(FOR_WHERE)}
    try:
        true = rows.frame.select(pl.col(name).alias(column) for name, column in raw.items()).select(
            pl.sql_expr(condition).fill_null(False).alias("true")
        )["true"]
        if true.dtype != pl.Boolean:
            raise pl.exceptions.SQLInterfaceError(f"it is {true.dtype}, neither true nor false")
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise DataError(
            f"`data.where` ({condition}) can't be computed for {path} ({reason}): the file's values are text there, "
            "so write numbers as TRY_CAST(column AS DOUBLE) > 0 and texts in single quotes."
        ) from None
    frame = rows.frame.drop(list(raw))
    if true.all():
        return replace(rows, frame=frame), 0
    kept = np.flatnonzero(true.to_numpy())
    texts = rows.texts
    return (
        replace(
            rows,
            frame=frame.filter(true),
            lines=rows.lines[kept],
            texts=lambda chosen: texts([int(kept[position]) for position in chosen]),
        ),
        len(true) - len(kept),
    )
