"""Quotas as steps of a run: what was bought of the strategies' candidates in weeks before all that are trained on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from hmgpu.core.plans import drawn
from hmgpu.data.weeks import Week
from hmgpu.parts.retriever import Retriever
from hmgpu.pipeline.describe import Chosen, Describer
from hmgpu.pipeline.learn import TABLE
from hmgpu.pipeline.quotas import Quotas, rates
from hmgpu.pipeline.shard_steps import Sharding
from hmgpu.pipeline.shards import Shard, as_fits
from hmgpu.runs.run import Step


@dataclass(frozen=True)
class QuotaSteps:
    """Learns what a candidate is worth by strategy, rank and segment."""

    sharding: Sharding
    quotas: Quotas
    seed: int

    @property
    def describer(self) -> Describer:
        return self.sharding.describer

    def learned(self, weeks: Sequence[Week]) -> Chosen:
        """Which candidates are kept, learned from `weeks`."""
        counts = [step for week in weeks for step in self._counts(week)]
        places = {name: part.n for name, part in self.describer.retrievers.items()}

        def make(folder: Path) -> dict[str, int]:
            table = pl.concat(pl.read_parquet(step.folder / TABLE) for step in counts)
            found = rates(table, places, self.quotas.least)
            found.write_parquet(folder / TABLE)
            return {"rates": found.height}

        settings = {"least": self.quotas.least, "places": places}
        step = self.sharding.run.step("quotas", settings, [step.digest for step in counts], make)
        return Chosen(self.quotas.keep, step)

    def _counts(self, week: Week) -> list[Step]:
        """What customers, drawn at random, bought of the candidates in `week`, one step a shard of them."""
        proposing = {name: part for name, part in self.describer.parts.items() if isinstance(part, Retriever)}
        learned = self.describer.learning.learn(week, proposing)
        buyers = self.describer.engine.collect(self._sold(week).select("customer").unique())
        buyers = drawn(buyers, self.quotas.customers, self.seed + week.first_day)
        return self.sharding.each(f"quotas {week}", partial(self._counts_of, week, learned), buyers)

    def _counts_of(self, week: Week, learned: Mapping[str, Step], shard: Shard) -> Step:
        def counted(customers: pl.DataFrame) -> pl.DataFrame:
            sold = self._sold(week).join(customers.lazy(), on="customer", how="semi")
            bought = self.describer.engine.collect(sold).lazy()
            return self.describer.count(week, learned, customers, bought)

        def make(folder: Path) -> dict[str, int]:
            table = as_fits(counted, shard.customers).lazy()
            keys = ("segment", "strategy", "rank")  # halves of the customers have counts of the same
            summed = table.group_by(keys).agg(pl.col("shown", "bought").sum()).sort(keys)
            counts = self.describer.engine.collect(summed)
            counts.write_parquet(folder / TABLE)
            return {"proposals": int(counts["shown"].sum()), "bought": int(counts["bought"].sum())}

        asked = [[name, part.settings()] for name, part in self.describer.retrievers.items()]
        settings = {"shards": shard.of, "retrievers": json.dumps(asked), "seed": self.seed}
        settings["customers"] = shard.customers.height
        seen = self.describer.learning.store.digest_before(week.last_day + 1)
        made_from = [seen, *(step.digest for step in learned.values())]
        return self.sharding.run.step(f"{week}/quotas/{shard.number:03}", settings, made_from, make)

    def _sold(self, week: Week) -> pl.LazyFrame:
        return self.describer.learning.store.sold_in(week)
