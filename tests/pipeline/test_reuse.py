"""Runs in one folder: each reuses the steps of the others, and has the same bytes as alone."""

from pathlib import Path

import polars as pl
import pytest
from kit import few_parts

from hmgpu.core.engine import Engine
from hmgpu.data.ingest import ingest
from hmgpu.data.store import Store
from hmgpu.parts.negatives.recalled import Recalled
from hmgpu.parts.rankers.blend import Blend
from hmgpu.parts.rankers.order import Order
from hmgpu.parts.rankers.xgboost import XGBoost
from hmgpu.parts.retrievers.als import ALS
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.quotas import Quotas

CPU = Engine("cpu", "tests")
RANKERS = {"trees": XGBoost(rounds=5, depth=3, min_child_weight=1), "chain": Order()}


@pytest.fixture
def whole(raw: Path, store: Store, tmp_path: Path) -> Config:
    """Return a config of few parts in which everything that is changed below decides something."""
    config = few_parts(raw, store.root, tmp_path / "runs")
    retrievers = {**config.retrievers, "als": ALS(factors=4, n=20)}
    changed = {"ranker": Blend(rankers=RANKERS), "quotas": Quotas(keep=25, customers=60), "retrievers": retrievers}
    return config.model_copy(update=changed)


def corrected(config: Config, store: Store, tmp_path: Path) -> Config:
    """Copy the data set without every second purchase of the validation week, as if it had been returned."""
    week = open_pipeline(config, CPU).weeks.validation
    rows = pl.read_csv(config.data.raw / "transactions_train.csv", infer_schema=False, glob=False).with_row_index("row")
    within = pl.col("t_dat").is_between(pl.lit(str(week)), pl.lit(str(week.back(-1))), closed="left")
    kept = rows.filter(~within | (pl.col("row") % 2 == 0)).drop("row")
    assert 0 < kept.height < rows.height
    raw = tmp_path / "corrected"
    raw.mkdir()
    for name in ("articles.csv", "customers.csv"):
        (raw / name).symlink_to(config.data.raw / name)
    kept.write_csv(raw / "transactions_train.csv")
    data = config.data.model_copy(update={"raw": raw, "root": tmp_path / "corrected-data"})
    ingest(data)
    return config.model_copy(update={"data": data})


def left(config: Config) -> dict[str, bytes]:
    """Return what a run of `config` leaves for others to read."""
    pipeline = open_pipeline(config, CPU)
    with pipeline.working():
        pipeline.evaluate()
        pipeline.submit()
    return {
        name: (pipeline.run.folder / name).read_bytes() for name in ("submission.csv", "metrics.json", "report.html")
    }


def test_whatever_was_changed_a_run_beside_others_has_the_bytes_of_one_alone(
    whole: Config, store: Store, tmp_path: Path
) -> None:
    fewer = {name: part.model_copy(update={"n": 7}) for name, part in whole.retrievers.items()}
    changes = {
        "as it is": {},
        "seed": {"seed": 7},
        "weights": {"ranker": Blend(rankers=RANKERS, weights={"chain": 9.0})},
        "n": {"retrievers": fewer},
        "order": {"retrievers": dict(reversed(whole.retrievers.items()))},
        "quotas": {"quotas": whole.quotas.model_copy(update={"keep": 30})},
        "negatives": {"negatives": {"recalled": Recalled(n=3)}},
        "weeks": {"weeks": whole.weeks.model_copy(update={"train": 2})},
    }
    configs = {what: whole.model_copy(update=change) for what, change in changes.items()}
    configs["data"] = corrected(whole, store, tmp_path)
    together = {what: left(config) for what, config in configs.items()}
    assert len({files["metrics.json"] for files in together.values()}) == len(configs)  # each change decides something
    other = []
    for what, config in configs.items():
        alone = left(config.model_copy(update={"runs": tmp_path / "alone" / what}))
        other += [(what, name) for name, file in alone.items() if together[what][name] != file]
    assert other == []
