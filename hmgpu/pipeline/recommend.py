"""Recommendations as steps of a run: twelve articles for every customer in the week after the data, and their files."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from hmgpu.parts.examples import KEYS
from hmgpu.parts.ranker import Ranker
from hmgpu.pipeline.describe import Chosen, Describer
from hmgpu.pipeline.learn import FALLBACK, TABLE
from hmgpu.pipeline.lists import SUBMISSION, check_fillable, top_twelve, write_submission
from hmgpu.pipeline.served_tables import write_tables
from hmgpu.pipeline.shard_steps import Sharding
from hmgpu.pipeline.shards import Shard, as_fits
from hmgpu.runs.run import Step


@dataclass(frozen=True)
class RecommendSteps:
    """Proposes, describes what is promising, and ranks, a shard of customers a step."""

    sharding: Sharding
    quotas: Chosen | None
    """Which candidates are kept; None keeps all."""
    fitted: Step
    """It left the ranker's model."""
    ranker: Ranker

    @property
    def describer(self) -> Describer:
        return self.sharding.describer

    def made(self) -> list[Step]:
        """(customer, article, rank), every customer's twelve."""
        engine, learning = self.describer.engine, self.describer.learning
        learned = learning.learn(learning.store.next_week, self.describer.parts)
        check_fillable(engine.collect(_filler(learned)))
        customers = engine.collect(learning.store.customer_ids().select("customer"))
        return self.sharding.each("recommend", partial(self._of_shard, learned), customers)

    def submitted(self) -> Step:
        """`submission.csv`, as Kaggle takes it, and beside it the tables that the run is served from."""
        engine, learning = self.describer.engine, self.describer.learning
        store, predicted = learning.store, self.made()
        filler = _filler(learning.learn(store.next_week, {}))

        def make(folder: Path) -> dict[str, int]:
            files = [step.folder / TABLE for step in predicted]
            plans = store.customer_ids(), store.article_ids(), store.codes(), filler
            customers, articles, codes, best = map(engine.collect, plans)
            write_tables(folder, files, best, customers, articles, codes)
            return {"customers": write_submission(folder / SUBMISSION, files, customers, articles)}

        return self.sharding.run.step("submit", {}, [store.digest, *(step.digest for step in predicted)], make)

    def _of_shard(self, learned: Mapping[str, Step], shard: Shard) -> Step:
        store = self.describer.learning.store
        week = store.next_week

        def twelve(customers: pl.DataFrame) -> pl.DataFrame:
            proposed = self.describer.propose(week, learned, customers, self.quotas)
            model = self.ranker.load(self.fitted.folder, self.describer.engine)
            described = self.describer.describe(model.promising(proposed.pairs), proposed.learned)
            scored = described.select(KEYS).with_columns(score=model.score_promising(described)).lazy()
            return self.describer.engine.collect(top_twelve(scored, customers.lazy(), _filler(learned)))

        def make(folder: Path) -> dict[str, int]:
            table = as_fits(twelve, shard.customers)
            rows = self.describer.engine.write(table.lazy(), folder / TABLE)
            return {"customers": shard.customers.height, "rows": rows}

        decided_by = [self.fitted, *learned.values(), *([self.quotas.step] if self.quotas else [])]
        made_from = [store.digest, *(step.digest for step in decided_by)]
        # A model may be used with settings that it was not fitted with.
        settings = self.sharding.settings(shard) | {"ranker": self.ranker.settings()}
        return self.sharding.run.step(f"{week}/recommend/{shard.number:03}", settings, made_from, make)


def _filler(learned: Mapping[str, Step]) -> pl.LazyFrame:
    return pl.scan_parquet(learned[FALLBACK].folder / TABLE, glob=False)
