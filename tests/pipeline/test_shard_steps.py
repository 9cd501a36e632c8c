"""Work by shards: as many as the workers' memory wants, and settings by which another config's shards are others."""

from pathlib import Path

import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.parts.rankers.cascade import Cascade
from hmgpu.parts.retrievers.popular import Popular
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.pipeline.quotas import Quotas
from hmgpu.pipeline.shard_steps import Sharding
from hmgpu.pipeline.shards import Shard
from hmgpu.pipeline.workers import Here
from hmgpu.runs.run import Step

CPU = Engine("cpu", "tests")
CUSTOMERS = pl.DataFrame({"customer": range(40_000)}, schema={"customer": pl.Int32})
SHARD = Shard(0, 3, CUSTOMERS.head(1))


class Halved(Here):
    """Two workers, each of whom plans with half of the memory."""

    number, share = 2, 0.5


def shards_of(sharding: Sharding) -> list[Shard]:
    seen = []

    def work(shard: Shard) -> Step:
        seen.append(shard)
        return Step(str(shard.number), Path(str(shard.number)), "")

    steps = sharding.each("customers", work, CUSTOMERS)
    assert [step.folder.name for step in steps] == [str(shard.number) for shard in seen]
    return seen


def test_each_worker_gets_its_share_of_the_memory(config: Config) -> None:
    sharding = Pipeline.open(config.model_copy(update={"memory_gb": 1.0}), CPU).sharding
    alone = shards_of(sharding)
    together = shards_of(Sharding(sharding.describer, sharding.run, Halved(), sharding.memory_gb, None))
    assert len(alone) > 1
    assert len(together) == pytest.approx(2 * len(alone), abs=1)
    for shards in (alone, together):
        assert pl.concat(shard.customers for shard in shards).equals(CUSTOMERS)
        assert {shard.of for shard in shards} == {len(shards)}


def test_what_decides_what_comes_out_is_in_the_settings(config: Config) -> None:
    plain = Pipeline.open(config, CPU).sharding.settings(SHARD)
    assert plain["shards"] == 3
    others = [
        {"quotas": Quotas(keep=20)},
        {"ranker": Cascade(early=("article_sales",))},
        {"features": dict(list(config.features.items())[1:])},
        {"retrievers": dict(reversed(config.retrievers.items()))},
        {"retrievers": config.retrievers | {"popular": Popular(n=7)}},
    ]
    found = [plain, *(Pipeline.open(config.model_copy(update=each), CPU).sharding.settings(SHARD) for each in others)]
    assert all(one != other for number, one in enumerate(found) for other in found[:number])
