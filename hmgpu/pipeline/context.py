"""The frozen context that every step of a pipeline works with."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.parquet import scan_table
from hmgpu.data.store import History, Store
from hmgpu.parts.feature import Feature
from hmgpu.parts.negative_sampler import NegativeSampler
from hmgpu.parts.part import Learner
from hmgpu.parts.ranker import Ranker
from hmgpu.parts.retriever import Retriever
from hmgpu.pipeline.families import feature_step, retriever_step
from hmgpu.pipeline.learn import TABLE, Learning
from hmgpu.pipeline.shards import Shard, split
from hmgpu.pipeline.workers import Workers
from hmgpu.runs.run import Run, Step


@dataclass(frozen=True)
class LearnedQuotas:
    """Learned quotas: each customer keeps the best `keep` candidates, by the rates that `step` wrote."""

    keep: int
    step: Step

    @property
    def rates(self) -> pl.LazyFrame:
        """Return the rates that `quotas.rates` computed."""
        return scan_table(self.step.folder / TABLE)


@dataclass(frozen=True)
class StepContext:
    """Data, run, parts and workers of a pipeline. Frozen, so that it can be sent to workers with a task."""

    store: Store
    engine: Engine
    run: Run
    workers: Workers
    learning: Learning
    """What parts learn; pipelines that differ in other things can share it."""
    retrievers: Mapping[str, Retriever]
    features: Mapping[str, Feature]
    negatives: Mapping[str, NegativeSampler]
    ranker: Ranker
    k: int
    """Articles in a list."""
    seed: int
    memory_gb: float
    """Memory to plan for, of all workers together."""
    quotas: LearnedQuotas | None = None
    """None keeps all candidates."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Why each part of the config that is not among the parts is left out; see `usable_parts`."""

    @property
    def learners(self) -> dict[str, Learner]:
        """Return all parts that learn, by the names of their steps."""
        found: dict[str, Learner] = {retriever_step(name): part for name, part in self.retrievers.items()}
        return found | {feature_step(name): part for name, part in self.features.items()}

    @property
    def learned_as(self) -> dict[str, str]:
        """Return the name of the step of each part that learns by its name in the config, a retriever's if both are."""
        steps = {name: feature_step(name) for name in self.features}
        return steps | {name: retriever_step(name) for name in self.retrievers}

    @property
    def early(self) -> frozenset[str]:
        """Return the names of families computed for all candidates, next to families that compare candidates."""
        return self.ranker.looks_early_at & frozenset(self.features)

    @property
    def part_settings(self) -> str:
        """Return all settings of all parts, in their order, as JSON.

        Not all of them change what a part learns: some set how many candidates it proposes, or which columns it
        computes.
        """
        return json.dumps([[name, part.settings()] for name, part in self.learners.items()])

    def each_shard(
        self, what: str, work: Callable[[Shard], Step], customers: pl.DataFrame, width: Callable[[], int]
    ) -> list[Step]:
        """Run `work` for every shard of `customers` (customer); each worker plans with its share of memory.

        Args:
            what: name of the work, shown with the progress.
            width: returns the bytes of a candidate with all columns that the work computes.
        """
        shards = self.shards_of(customers, width, self.workers.share)
        return self.workers.each(what, [partial(work, shard) for shard in shards])

    def shards_of(self, customers: pl.DataFrame, width: Callable[[], int], share: float = 1.0) -> list[Shard]:
        """Split `customers` (customer) so that a shard fits into `share` of the memory, and into the device's."""
        memory = min(self.memory_gb * share, self.engine.memory_gb)
        return split(customers, self.retrievers.values(), memory, width)

    def shard_settings(self, shard: Shard) -> dict[str, Any]:
        """Return the settings that decide what is computed for a shard of candidates."""
        keep = {"keep": self.quotas.keep} if self.quotas else {}
        return (
            {"shards": shard.of}
            | keep
            | self.learning.exclusions.settings()
            | {"parts": self.part_settings, "early": json.dumps(sorted(self.early))}
        )

    def reranked(self, scored: pl.DataFrame, history: History) -> pl.DataFrame:
        """Return (customer, article, score) that lists are made of: `scored` itself, unless `lists.diversify` is set.

        Args:
            scored: (customer, article, score), all candidates of some customers.
            history: what was known before the week of the lists.
        """
        reranking = self.learning.reranking
        return scored if reranking is None else reranking.apply(scored.lazy(), history, self.k, self.engine)

    def list_settings(self) -> dict[str, Any]:
        """Return what decides how scores become lists, besides what they must not hold."""
        reranking = self.learning.reranking
        return {"k": self.k} | (reranking.decisive() if reranking else {})

    def quota_digests(self) -> list[str]:
        """Return the digest of the quotas, if any: an input of every step that works on the kept candidates."""
        return [self.quotas.step.digest] if self.quotas else []
