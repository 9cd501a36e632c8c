"""Twelve articles for everybody: the same in whatever shards, and whatever was left out on the way."""

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.rankers.cascade import Cascade
from hmgpu.parts.rankers.order import Order
from hmgpu.parts.rankers.xgboost import XGBoost
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.describe import complete, propose
from hmgpu.pipeline.lists import top_k
from hmgpu.pipeline.open import open_pipeline

CPU = Engine("cpu", "tests")


def test_few_customers_at_a_time_give_the_same_recommendations(with_models: Config) -> None:
    """Shards bound memory and change nothing else; the ranker is left out, since its sketch sees other batches."""
    order = with_models.model_copy(update={"ranker": Order()})
    whole = open_pipeline(order, CPU)
    little = {"memory_gb": 0.1, "runs": with_models.runs / "sharded"}
    submitted = whole.submit().read_bytes()
    # The model is taken over; everything that is made of customers is made again.
    sharded = open_pipeline(order.model_copy(update=little), CPU, others=[whole.run.folder])
    assert submitted == sharded.submit().read_bytes()
    steps = list((sharded.run.folder / "steps").glob("*/recommend/*"))
    assert len(steps) > 1


def test_serving_describes_few_candidates_and_recommends_what_describing_all_would(config: Config) -> None:
    quick, careful = (XGBoost(rounds=rounds, depth=3, min_child_weight=1) for rounds in (5, 20))
    cascade = Cascade(first=quick, early=("article_sales",), keep=12, then=careful)
    pipeline = open_pipeline(config.model_copy(update={"ranker": cascade}), CPU)
    served = pl.concat(pl.read_parquet(step.folder / "table.parquet", glob=False) for step in pipeline.recommend())
    week, model = pipeline.store.next_week, pipeline.load(pipeline.train())
    learned = pipeline.learn(week)
    proposed = propose(pipeline.context, week, learned, served.select("customer").unique().sort("customer"))
    assert "article_units_7" in proposed.pairs.columns
    assert "buyer_age" not in proposed.pairs.columns
    assert model.promising(proposed.pairs).height < proposed.pairs.height
    every = complete(pipeline.context, proposed, proposed.pairs)
    scored = every.select(KEYS).with_columns(score=model.score(every)).lazy()
    filler = pl.scan_parquet(learned["fallback"].folder / "table.parquet", glob=False)
    expected = CPU.collect(top_k(scored, served.lazy().select("customer").unique(), filler))
    assert served.sort("customer", "rank").equals(expected.select(served.columns).sort("customer", "rank"))
