"""What the blocks of the docs work on: small data, the shipped configs made small, and two finished runs."""

import os
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from hmgpu.data.ingest import ingest
from hmgpu.data.settings import DataSettings
from hmgpu.data.synthetic import synthesize
from hmgpu.pipeline import shipped_configs
from tests.docs.story import SCALE, hmgpu, quick

CONFIGS = Path(__file__).parents[2] / "configs"


RETRIEVERS = ("repurchase", "same_product", "popular_department", "popular")
FEATURES = ("retriever_scores", "article_sales", "article_price", "bought_department")


def small(content: dict[str, Any]) -> dict[str, Any]:
    """A shipped config with few parts, none of which takes seconds to train; it is quick, too."""
    retrievers = {name: part for name, part in content["retrievers"].items() if name in RETRIEVERS}
    features = {name: part for name, part in content["features"].items() if name in FEATURES}
    return quick(content | {"retrievers": retrievers, "features": features})


@pytest.fixture(scope="session")
def configs(tmp_path_factory):
    """The shipped configs, small, by name."""
    folder = tmp_path_factory.mktemp("configs")
    for file in CONFIGS.glob("*.yaml"):
        content = small(yaml.safe_load(file.read_text(encoding="utf-8")))
        (folder / file.name).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return {file.stem: file for file in sorted(folder.glob("*.yaml"))}


@pytest.fixture
def shipped(configs, monkeypatch):
    """The names of shipped configs stand for the small ones."""
    monkeypatch.setattr(shipped_configs, "shipped", lambda: configs)


@pytest.fixture(scope="session")
def workplace(configs, tmp_path_factory):
    """A folder as a reader has it after a first run: raw/, data/, runs/ with two runs, and files that pages name."""
    folder = tmp_path_factory.mktemp("workplace")
    synthesize(folder / "raw", SCALE, 7)
    ingest(DataSettings(raw=folder / "raw", root=folder / "data"))
    _own_tables(folder)
    _next_week(folder)
    before = Path.cwd()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipped_configs, "shipped", lambda: configs)
        os.chdir(folder)
        try:
            hmgpu("run", "--config", "base", "--set", "ranker.keep=13")
            (folder / "runs" / "current").resolve().rename(folder / "runs" / "other")
            hmgpu("run", "--config", "base")
            usual = Path("runs/current").readlink()
            for run in ("other", usual):  # so that there is one to roll back to
                hmgpu("promote", f"runs/{run}")
        finally:
            os.chdir(before)
    customers = pl.read_csv(folder / "runs" / "current" / "submission.csv", glob=False)["customer_id"].head(5)
    (folder / "ids.txt").write_text("\n".join(customers) + "\n")
    pl.DataFrame({"customer_id": customers}).write_parquet(folder / "more.parquet")
    return folder


@pytest.fixture
def place(workplace, shipped, tmp_path, monkeypatch):
    """The workplace of one page."""
    folder = tmp_path / "place"
    shutil.copytree(workplace, folder, symlinks=True)
    monkeypatch.chdir(folder)
    return folder


def _own_tables(folder: Path) -> None:
    """our/files/: the same purchases as a retailer with other names, ids, days and prices has them."""
    (folder / "our" / "files").mkdir(parents=True)
    bought = pl.read_csv(folder / "raw" / "transactions_train.csv", infer_schema=False, glob=False)
    sku = pl.concat_str(pl.lit("AB"), pl.col("article_id").str.slice(-6))
    bought.select(
        date=pl.col("t_dat").str.to_date().dt.strftime("%d.%m.%Y"),
        client=1000 + pl.col("customer_id").rank("dense"),
        sku=sku,
        eur=((pl.col("price").cast(pl.Float64) * 59000).round() / 100).round(2),
    ).write_csv(folder / "our" / "files" / "sales.csv")
    articles = pl.read_csv(folder / "raw" / "articles.csv", infer_schema=False, glob=False)
    named = articles.select(sku=sku, style="product_code", title="prod_name", dept="department_no")
    named.unique("sku", maintain_order=True).write_csv(folder / "our" / "files" / "products.csv")
    some = articles.select("article_id").head(50)
    vectors = pl.DataFrame({"vector": [[number % 5 + 1.0, number % 7, 1.0] for number in range(some.height)]})
    pl.concat([some, vectors], how="horizontal").write_parquet(folder / "mine.parquet")


def _next_week(folder: Path) -> None:
    """The last week once more, seven days later."""
    bought = pl.read_csv(folder / "raw" / "transactions_train.csv", infer_schema=False, glob=False)
    week = bought.filter(pl.col("t_dat") >= "2020-09-16")
    later = pl.col("t_dat").str.to_date().dt.offset_by("7d").dt.to_string()
    week.with_columns(later.alias("t_dat")).write_csv(folder / "2020-09-23.csv")
