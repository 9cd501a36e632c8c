"""The evaluation of a week as Python hands it out: the figures, and the frames that they are made of."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from rich.table import Table

from hmgpu.core.printed import Printed
from hmgpu.evaluation.tables import detail_tables, main_table


@dataclass(frozen=True, repr=False)
class Evaluation(Printed):
    """What the ranker achieved in a week. Printed, it shows the tables of `hmgpu evaluate --details`."""

    week: datetime.date
    """The week's first day."""
    metrics: dict[str, Any]
    """The content of metrics.json, such as `metrics["map_at_12"]["ranker"]`; docs/evaluation.md explains each."""
    lists: pl.DataFrame
    """(customer_id, rank int32 from 1, article_id): the ranker's list of everybody who bought in the week."""
    average_precision: pl.DataFrame
    """(customer_id, segment, float64 of every method): the average precision at 12 of each of these customers."""
    report: Path
    """The page, report.html."""

    def tables(self) -> Sequence[Table]:
        return [main_table(self.metrics), *detail_tables(self.metrics)]
