"""The generated shops: what they are made to have, the same from the same seed, and a benchmark on one."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from hmgpu.benchmark.shops import files
from hmgpu.benchmark.shops.files import shop_settings, write_shop
from hmgpu.benchmark.shops.giftware import giftware
from hmgpu.cli import app
from hmgpu.data.ingest import ingest
from hmgpu.data.store import Store

FEW = 250


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both shops with few customers, where `--data` keeps them."""
    folder = tmp_path_factory.mktemp("shops")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(files, "giftware", lambda seed: giftware(seed, FEW))
        patched.setattr(files, "YOUNG_SCALE", 0.0005)
        patched.setattr(files, "YOUNG_CUSTOMERS", 400)
        for shop in ("giftware", "newcomer"):
            data = shop_settings(shop, folder / f"{shop}-seed-1")
            write_shop(shop, data.raw, 1)
            ingest(data)
    return folder


def test_half_of_what_the_giftware_shop_sells_was_bought_within_a_year() -> None:
    sold = giftware(1, FEW)
    assert sold.equals(giftware(1, FEW))
    assert not sold.equals(giftware(2, FEW))
    assert not sold.is_duplicated().any()
    order = sold.group_by("day", "customer").len()["len"]
    assert 18 < order.mean() < 36
    before = pl.col("day") - pl.col("day").shift(1).over("customer", "article", order_by="day")
    again = sold.with_columns(gap=before).filter(pl.col("day") >= 364)["gap"]
    assert 0.4 < (again <= 365).fill_null(False).mean() < 0.65
    assert again.quantile(0.1) < 28 < 100 < again.quantile(0.75)


def test_shops_have_what_they_are_made_to_have(folder: Path) -> None:
    gifts, newcomer = (Store(folder / f"{shop}-seed-1" / "data") for shop in ("giftware", "newcomer"))
    assert gifts.present == {"day", "customer", "article"}
    assert {"price", "age", "department"} <= newcomer.present
    assert (newcomer.last_day - newcomer.manifest.first_day) // 7 == 7  # eight weeks


def test_the_verb_compares_on_a_shop(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hmgpu.benchmark.against_peers.alone", lambda work, *given: work(*given))
    out, asked = tmp_path / "it.json", ["benchmark", "peers", "--shop", "newcomer", "--peers", "repurchase"]
    quick = ["retrievers={repurchase: {n: auto}, popular: {n: 20}}", "features={}", "ranker={kind: xgboost, rounds: 3}"]
    options = [flag for setting in [*quick, "weeks.train=1"] for flag in ("--set", setting)]
    more = ["--folds", "1", "--data", str(folder), "--out", str(out), "--engine", "cpu"]
    done = CliRunner().invoke(app, [*asked, *options, *more])
    assert done.exit_code == 0, done.output
    found = json.loads(out.read_text())
    names = {each["name"] for each in found["recommenders"]}
    assert {"hmgpu", "hmgpu's retrievers, in order", "repurchase"} <= names
    assert found["settings"]["config"]["retrievers"]["repurchase"]["n"] == "auto"  # each week has its own number
    assert found["data"]["origin"] == "--shop newcomer --seed 1"
    assert (folder / "newcomer-seed-1" / "runs").is_dir()
    both = CliRunner().invoke(app, [*asked, "--config", "base"])
    assert both.exit_code == 2
    assert "--shop generates its data" in both.output
