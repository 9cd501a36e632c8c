"""The shipped base config on a real sample in the original layout; skipped where HMGPU_REAL_DATA names none."""

import json
import os
from pathlib import Path

import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.data.ingest import ingest
from hmgpu.data.store import Store
from hmgpu.pipeline.config import load_config
from hmgpu.pipeline.open import open_pipeline

BASE = Path(__file__).parents[1] / "configs" / "base.yaml"
SAMPLE = os.environ.get("HMGPU_REAL_DATA")


@pytest.mark.skipif(not SAMPLE, reason="HMGPU_REAL_DATA is not set")
def test_base_config_on_real_data(tmp_path: Path) -> None:
    raw = Path(str(SAMPLE))
    config = load_config(
        BASE,
        [
            f"data.raw={raw}",
            f"data.root={tmp_path / 'data'}",
            f"runs={tmp_path / 'runs'}",
            "ranker.then.rounds=30",
            "weeks.train=4",
        ],
    )
    summary = ingest(config.data)
    assert summary.rows == pl.read_csv(raw / "transactions_train.csv", columns=["t_dat"]).height
    assert summary.bad_rows == {}
    assert summary.prices_rounded == 0
    pipeline = open_pipeline(config, Engine("cpu", "tests"))
    assert pipeline.retrievers.keys() == config.retrievers.keys()
    assert pipeline.config.found.keys() == {*config.waiting()}
    with pipeline.working():
        metrics = json.loads(pipeline.evaluate().read_text())
        submission = pl.read_csv(pipeline.submit(), infer_schema=False)
    assert metrics["customers"] > 0
    assert metrics["map_at_12"]["own_past"] > metrics["map_at_12"]["best_sellers"]
    everybody = pl.read_csv(raw / "customers.csv", columns=["customer_id"])["customer_id"]
    assert sorted(submission["customer_id"]) == sorted(everybody)
    known = set(pl.read_csv(raw / "articles.csv", columns=["article_id"], infer_schema=False)["article_id"])
    lists = submission["prediction"].str.split(" ")
    assert (lists.list.n_unique() == 12).all()
    assert set(lists.explode()) <= known
    assert Store(config.data.root).manifest.sources[-1].quarantine is None
