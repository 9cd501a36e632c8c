"""Examples as steps of a run: candidates of a week's buyers with all columns, and what was bought of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from hmgpu.data.weeks import Week
from hmgpu.parts.examples import KEYS, LABEL, Examples
from hmgpu.parts.negative_sampler import Negatives
from hmgpu.pipeline.describe import Chosen, Describer
from hmgpu.pipeline.labels import labelled, taught
from hmgpu.pipeline.learn import TABLE
from hmgpu.pipeline.shard_steps import Sharding
from hmgpu.pipeline.shards import Shard, as_fits
from hmgpu.runs.run import Step


@dataclass(frozen=True)
class ExampleSteps:
    """Describes and labels candidates, a shard of customers a step."""

    sharding: Sharding
    negatives: Mapping[str, Negatives]
    """How training examples that nobody bought are drawn."""
    quotas: Chosen | None
    """Which candidates are kept; None keeps all."""
    seed: int

    @property
    def describer(self) -> Describer:
        return self.sharding.describer

    def made(self, week: Week, training: bool, name: str = "examples") -> tuple[Examples, list[Step]]:
        """Those of the customers who bought in `week`.

        For training, only customers with a recalled purchase are kept, with the negatives that the config wants drawn.

        Args:
            name: of the steps.
        """
        learning = self.describer.learning
        learned = learning.learn(week, self.describer.parts)
        buyers = self.describer.engine.collect(learning.store.sold_in(week).select("customer").unique())
        work = partial(self._of_shard, f"{week}/{name}", week, training, learned)
        steps = self.sharding.each(f"{name} {week}", work, buyers)
        return Examples(tuple(step.folder / TABLE for step in steps)), steps

    def _of_shard(self, name: str, week: Week, training: bool, learned: Mapping[str, Step], shard: Shard) -> Step:
        early = list[str]()

        def described(customers: pl.DataFrame) -> pl.DataFrame:
            table, early[:] = self._described(week, training, learned, customers)
            return table

        def make(folder: Path) -> dict[str, int]:
            table = as_fits(described, shard.customers)
            Examples.write(folder / TABLE, table, early)
            return {"rows": table.height, "positives": int(table[LABEL].sum())}

        drawing = json.dumps({name: part.settings() for name, part in self.negatives.items()})
        sampling = {"negatives": drawing, "seed": self.seed} if training else {}
        known_by = [*learned.values(), *([self.quotas.step] if self.quotas else [])]
        seen = self.describer.learning.store.digest_before(week.last_day + 1)
        made_from = [seen, *(step.digest for step in known_by)]
        settings = {"training": training} | sampling | self.sharding.settings(shard)
        return self.sharding.run.step(f"{name}/{shard.number:03}", settings, made_from, make)

    def _described(
        self, week: Week, training: bool, learned: Mapping[str, Step], customers: pl.DataFrame
    ) -> tuple[pl.DataFrame, list[str]]:
        """The examples of `customers`, and the columns that were there before it was chosen who gets the others."""
        engine, store = self.describer.engine, self.describer.learning.store
        sold = store.sold_in(week).join(customers.lazy(), on="customer", how="semi")
        bought = engine.collect(sold).lazy()
        proposed = self.describer.propose(week, learned, customers, self.quotas)
        pairs = proposed.pairs
        if training:
            everything, history = store.purchases_in(week), store.as_of(week.first_day)
            seed = self.seed + week.first_day
            teach = taught(pairs.lazy(), everything, history, self.negatives.values(), seed)
            pairs = self.describer.among(engine.collect(teach), proposed)
        table = self.describer.describe(pairs, proposed.learned)
        labels = engine.collect(labelled(table.lazy().select(KEYS), bought), fits=True)
        return table.with_columns(labels[LABEL]), proposed.pairs.columns
