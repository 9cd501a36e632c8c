"""Examples as steps of a run: candidates of a week's buyers with all columns, and what was bought of them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.data.weeks import Week
from hmgpu.describe import Chosen, Describer
from hmgpu.labels import labelled, taught
from hmgpu.learning import TABLE
from hmgpu.negatives import Negatives
from hmgpu.rankers import KEYS, LABEL, Examples
from hmgpu.runs.run import Run, Step
from hmgpu.shards import Shard, as_fits


@dataclass(frozen=True)
class ExampleSteps:
    """Describes and labels candidates, a shard of customers a step."""

    describer: Describer
    negatives: Mapping[str, Negatives]
    """How training examples that nobody bought are drawn."""
    quotas: Chosen | None
    """Which candidates are kept; None keeps all."""
    seed: int
    run: Run
    by_shard: Callable[[str, Callable[[Shard], Step], pl.DataFrame], list[Step]]
    """Does work for every shard of customers; see `Pipeline`."""
    sharding: Callable[[Shard], dict[str, Any]]
    """Settings of all that is made from a shard; see `Pipeline`."""

    def made(self, week: Week, training: bool) -> tuple[Examples, list[Step]]:
        """Those of the customers who bought in `week`.

        For training, only customers with a recalled purchase are kept, with the negatives that the config wants drawn.
        """
        learning = self.describer.learning
        learned = learning.learn(week, self.describer.parts)
        buyers = self.describer.engine.collect(learning.store.sold_in(week).select("customer").unique())
        work = partial(self._of_shard, week, training, learned)
        steps = self.by_shard(f"examples {week}", work, buyers)
        return Examples(tuple(step.folder / TABLE for step in steps)), steps

    def _of_shard(self, week: Week, training: bool, learned: Mapping[str, Step], shard: Shard) -> Step:
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
        made_from = [step.digest for step in [*learned.values(), *([self.quotas.step] if self.quotas else [])]]
        settings = {"training": training} | sampling | self.sharding(shard)
        return self.run.step(f"{week}/examples/{shard.number:03}", settings, made_from, make)

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
            # What was drawn from elsewhere is no strategy's candidate.
            known = teach.join(pairs.lazy(), on=KEYS, how="left").with_columns(pl.col("strategies").fill_null(0))
            pairs = engine.collect(known.sort(KEYS))
        table = self.describer.describe(pairs, proposed.learned)
        labels = engine.collect(labelled(table.lazy().select(KEYS), bought), fits=True)
        return table.with_columns(labels[LABEL]), proposed.pairs.columns
