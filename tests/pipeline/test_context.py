"""Work by shards: their number follows the workers' memory, and their settings tell configs apart."""

import dataclasses
from pathlib import Path

import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.parts.rankers.cascade import Cascade
from hmgpu.parts.retrievers.popular import Popular
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.context import LearnedQuotas, StepContext
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.shards import Shard
from hmgpu.pipeline.workers import InProcess
from hmgpu.runs.run import Step

CPU = Engine("cpu", "tests")
CUSTOMERS = pl.DataFrame({"customer": range(40_000)}, schema={"customer": pl.Int32})
SHARD = Shard(0, 3, CUSTOMERS.head(1))


class Halved(InProcess):
    """Two workers that each plan with half of the memory."""

    number, share = 2, 0.5


def shards_of(context: StepContext) -> list[Shard]:
    seen = []

    def work(shard: Shard) -> Step:
        seen.append(shard)
        return Step(str(shard.number), Path(str(shard.number)), "")

    steps = context.each_shard("customers", work, CUSTOMERS, lambda: 560)
    assert [step.folder.name for step in steps] == [str(shard.number) for shard in seen]
    return seen


def test_each_worker_gets_its_share_of_the_memory(config: Config) -> None:
    context = open_pipeline(config.model_copy(update={"memory_gb": 1.0}), CPU).context
    alone = shards_of(context)
    together = shards_of(dataclasses.replace(context, workers=Halved()))
    assert len(alone) > 1
    assert len(together) == pytest.approx(2 * len(alone), abs=1)
    for shards in (alone, together):
        assert pl.concat(shard.customers for shard in shards).equals(CUSTOMERS)
        assert {shard.of for shard in shards} == {len(shards)}


def test_what_decides_what_comes_out_is_in_the_settings(config: Config) -> None:
    context = open_pipeline(config, CPU).context
    plain = context.shard_settings(SHARD)
    quotas = LearnedQuotas(20, Step("quotas", Path("quotas"), ""))
    assert plain["shards"] == 3
    others = [
        {"ranker": Cascade(early=("article_sales",))},
        {"features": dict(list(config.features.items())[1:])},
        {"retrievers": dict(reversed(config.retrievers.items()))},
        {"retrievers": config.retrievers | {"popular": Popular(n=7)}},
    ]
    found = [
        plain,
        dataclasses.replace(context, quotas=quotas).shard_settings(SHARD),
        *(open_pipeline(config.model_copy(update=each), CPU).context.shard_settings(SHARD) for each in others),
    ]
    assert all(one != other for number, one in enumerate(found) for other in found[:number])
