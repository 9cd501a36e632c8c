"""Runs in one folder: each reuses the steps of the others, and has the same bytes as alone."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from kit import few_parts

from hmgpu.core.engine import Engine
from hmgpu.core.files import sha256
from hmgpu.data.ingest import append, ingest
from hmgpu.data.settings import DataSettings
from hmgpu.data.store import Store
from hmgpu.data.weeks import date_of
from hmgpu.parts.negatives.recalled import Recalled
from hmgpu.parts.rankers.blend import Blend
from hmgpu.parts.rankers.order import Order
from hmgpu.parts.rankers.xgboost import XGBoost
from hmgpu.parts.retrievers.als import ALS
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.quotas import Quotas
from hmgpu.runs.plan import PlannedRun
from hmgpu.runs.run import MANIFEST

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


@dataclass(frozen=True)
class Shop:
    """A shop whose customers bring things back: its data set up to the end of a week, and the week after that."""

    config: Config
    """Of a pipeline that is validated on the last week of the data set."""
    week: Path
    """The file of the week after: purchases, and returns of what was bought before."""


@pytest.fixture
def shop(raw: Path, store: Store, tmp_path: Path) -> Shop:
    later = store.last_complete_week
    first, next_day = str(later), str(date_of(later.first_day + 1))
    rows = pl.read_csv(raw / "transactions_train.csv", infer_schema=False, glob=False).with_columns(
        quantity=pl.lit("1")
    )
    known, new = rows.filter(pl.col("t_dat") < first), rows.filter(pl.col("t_dat") >= first)
    week_later = (pl.col("t_dat").str.to_date() + pl.duration(days=7)).cast(pl.String)
    back = known.gather_every(5).with_columns(week_later.alias("t_dat"), quantity=pl.lit("-1"))
    late = known.gather_every(3).with_columns(t_dat=pl.lit(next_day), quantity=pl.lit("-1"))
    folder = tmp_path / "returns"
    folder.mkdir()
    for name in ("articles.csv", "customers.csv"):
        (folder / name).symlink_to(raw / name)
    pl.concat([known, back.filter(pl.col("t_dat") < first)]).write_csv(folder / "transactions_train.csv")
    pl.concat([new, late]).write_csv(tmp_path / "week.csv")
    columns = {"transactions": {"quantity": "quantity"}}
    data = DataSettings(raw=folder, root=tmp_path / "returns-data", columns=columns)
    assert ingest(data).left_out["returns, which took back a purchase"] > 500
    config = few_parts(folder, data.root, tmp_path / "runs")
    weeks = config.weeks.model_copy(update={"validation": str(later.back(1))})
    return Shop(config.model_copy(update={"data": data, "weeks": weeks}), tmp_path / "week.csv")


def evaluated(config: Config) -> dict[str, str]:
    """Return the digests of the steps that an evaluation needs."""
    pipeline = open_pipeline(config, CPU)
    with pipeline.working():
        pipeline.evaluate()
    steps = pipeline.run.folder / "steps"
    files = [file for file in steps.rglob("*") if file.is_file() and file.name != MANIFEST]
    return {str(file.relative_to(steps)): sha256(file) for file in files}


def test_what_comes_back_later_reaches_nothing_that_was_made_of_the_days_before(shop: Shop, tmp_path: Path) -> None:
    """Neither in a run of its own, nor so that anything would be made again."""
    before = evaluated(shop.config)
    assert append(shop.config.data, shop.week).left_out["returns, which took back a purchase"] > 1000
    assert evaluated(shop.config.model_copy(update={"runs": tmp_path / "alone"})) == before
    planned = open_pipeline(shop.config, CPU, kind=PlannedRun)
    planned.evaluate()
    assert isinstance(planned.run, PlannedRun)
    assert [step.name for step in planned.run.planned if not step.reused] == []
    # What serves the week after has to know of them.
    planned.learn(planned.store.next_week)
    assert {step.reused for step in planned.run.planned if step.name.startswith(f"{planned.store.next_week}/")} == {
        False
    }
