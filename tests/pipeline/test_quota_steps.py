"""Quotas in a run: the weeks that they come from, who is asked, and what is kept."""

from pathlib import Path

import polars as pl
import pytest
from kit import demo_config

from hmgpu.core.engine import Engine
from hmgpu.core.parquet import read_table
from hmgpu.data.store import Store
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.examples import LABEL
from hmgpu.pipeline.config import Config, load_config
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.quotas import Quotas

CPU = Engine("cpu", "tests")


@pytest.fixture
def config(raw: Path, store: Store, tmp_path: Path) -> Config:
    places = [f"data.raw={raw}", f"data.root={store.root}", f"runs={tmp_path / 'runs'}"]
    return load_config(demo_config(tmp_path), [*places, "weeks.train=2", "engine=cpu"])


def test_quotas_come_from_weeks_before_all_training_and_bound_the_candidates(config: Config) -> None:
    pipeline = open_pipeline(config.model_copy(update={"quotas": Quotas(keep=20, weeks=2, customers=60)}), CPU)
    assert [str(week) for week in pipeline.weeks.quotas] == [
        str(pipeline.weeks.training[0].back(back)) for back in (2, 1)
    ]
    assert pipeline.weeks.oldest == pipeline.weeks.quotas[0]
    table = pipeline.quotas and read_table(pipeline.quotas.step.folder / "table.parquet")
    assert set(table["retriever"]) == set(pipeline.retrievers)
    shown = [read_table(file) for file in (pipeline.run.folder / "steps").glob("*/quotas/*/table.parquet")]
    assert len(shown) == 2
    assert pl.concat(shown)["shown"].sum() > 500
    week = pipeline.weeks.validation
    some = pl.concat(pipeline.examples(week, training=False)[0].tables())
    all_of_them = pl.concat(open_pipeline(config, CPU).examples(week, training=False)[0].tables())
    assert some.group_by("customer").len()["len"].max() == 20 < all_of_them.group_by("customer").len()["len"].max()
    # What is kept is described as it is without quotas, but for what compares a customer's candidates.
    columns = [*KEYS, "popular_rank", "popular_score", "retrievers", "article_units_7", LABEL]
    kept = all_of_them.join(some, on=KEYS, how="semi").select(columns)
    assert kept.sort(KEYS).equals(some.select(columns).sort(KEYS))


def test_customers_are_sampled_among_the_buyers_and_counted_shard_by_shard(config: Config, store: Store) -> None:
    tables = []
    for memory in (config.memory_gb, 0.1):
        smaller = {"quotas": Quotas(customers=20), "memory_gb": memory, "runs": config.runs / str(memory)}
        pipeline = open_pipeline(config.model_copy(update=smaller), CPU)
        tables.append(read_table(pipeline.quotas.step.folder / "table.parquet"))
        [week] = pipeline.weeks.quotas
        counted = pipeline.run.folder / "steps" / str(week) / "quotas"
        shown = pl.concat(read_table(file) for file in counted.glob("*/table.parquet"))
        firsts = shown.filter((pl.col("rank") == 1) & (pl.col("retriever") == "popular"))
        assert firsts["shown"].sum() == 20  # everybody is offered a best seller
    assert tables[0].equals(tables[1])
