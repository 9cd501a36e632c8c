"""Shards of customers as steps of a run, done by whatever workers there are."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

from hmgpu.pipeline.describe import Describer
from hmgpu.pipeline.shards import Shard, split
from hmgpu.pipeline.workers import Workers
from hmgpu.runs.run import Run, Step


@dataclass(frozen=True)
class Sharding:
    """What all who work by shards have: parts that describe, the run, and who does it. It is sent to workers."""

    describer: Describer
    run: Run
    workers: Workers
    memory_gb: float
    """To plan for, all workers together."""
    keep: int | None
    """Candidates of each customer that quotas leave; None where all are kept."""

    def each(self, what: str, work: Callable[[Shard], Step], customers: pl.DataFrame) -> list[Step]:
        """`work` for every shard of `customers` (customer); each worker plans with its share of memory.

        Args:
            what: they are, shown with the progress.
        """
        shards = split(customers, self.describer.retrievers.values(), self.memory_gb * self.workers.share)
        return self.workers.each(what, [partial(work, shard) for shard in shards])

    def settings(self, shard: Shard) -> dict[str, Any]:
        """Of all that is made from a shard of described candidates."""
        early = json.dumps(sorted(self.describer.early))
        keep = {} if self.keep is None else {"keep": self.keep}
        return {"shards": shard.of} | keep | {"parts": self.describer.settings, "early": early}
