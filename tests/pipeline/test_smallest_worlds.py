"""The smallest worlds through the whole run, with every part: lists, or a sentence that says what is missing."""

import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import small_world as world
from kit import SMALL

from hmgpu.core.engine import Engine
from hmgpu.core.errors import HmgpuError
from hmgpu.data.ingest import ingest
from hmgpu.parts.feature import Feature
from hmgpu.parts.negative_sampler import NegativeSampler
from hmgpu.parts.part import kinds
from hmgpu.parts.ranker import Ranker
from hmgpu.parts.retriever import Retriever
from hmgpu.pipeline.config import Config, load_config
from hmgpu.pipeline.open import open_pipeline

CPU = Engine("cpu", "tests")
LAST = datetime.date(2020, 9, 22)
WEEKS = 10
QUICK = {"kind": "xgboost", "rounds": 4, "min_child_weight": 0}
# The networks are tiny, and so are the vectors: that they cope is asked here, not how good they are.
SIZES: dict[str, dict[str, Any]] = {
    "two_tower": {**SMALL, "hidden": [16]},
    "dssm": {"epochs": 1, "weeks": 2, "hidden": [8], "dimensions": 8},
    "youtube_dnn": {**SMALL, "hidden": [16]},
    "hierarchical_softmax": {**SMALL, "hidden": [16]},
    "tdm": {**SMALL, "hidden": [16], "layers": [8]},
    "sasrec": {"epochs": 1, "weeks": 2, "dimensions": 8},
    "mult_vae": {"epochs": 1, "width": 8, "dimensions": 8, "support": 1},
    "neumf": {"epochs": 1, "weeks": 2, "dimensions": 8, "layers": [4], "support": 1},
    "als": {"factors": 4, "iterations": 1, "latest": 1},
    "bpr": {"factors": 4, "iterations": 1},
    "word2vec": {"dimensions": 4, "epochs": 1, "support": 1},
    "content": {"of": "metadata", "dimensions": 4},
    "item_cf": {"support": 1, "by": "age_band"},
    "sale_trend": {"sold": 1},
    "demand": {"weeks": 2, "rounds": 3},
}
NETWORKS = {
    "two_tower",
    "dssm",
    "youtube_dnn",
    "hierarchical_softmax",
    "tdm",
    "encoded",
    "dlrm",
    "din",
    "past_articles",
}
WITH_NETWORKS = "one article"
RANKERS = {
    "xgboost": QUICK,
    "order": {"kind": "order"},
    "blend": {"kind": "blend", "rankers": {"a": QUICK, "b": {"kind": "order", "by": "minmax"}}},
    "cascade": {"kind": "cascade", "keep": 12, "first": QUICK, "then": {**QUICK, "from_worth": True}},
    "dlrm": {"kind": "dlrm", "epochs": 1, "dimensions": 4, "bottom": [4], "top": [4]},
    "dnn": {"kind": "dnn", "epochs": 1, "hidden": [4]},
    "din": {"kind": "din", "epochs": 1, "dimensions": 4, "top": [4]},
}
Row = tuple[int, int, int, int]
"""(days before the last, customer, article, price in units)"""


def rows(customers: int, articles: int, days: range, each: int = 2) -> list[Row]:
    """Each customer buys `each` articles on some of these days; every fifth is free."""
    return [
        (day, customer, (customer * 5 + day * 3 + number * 7) % articles, (day + number) % 5 * 400)
        for day in days
        for customer in range(customers)
        if (day + customer) % 3 == 0
        for number in range(each)
    ]


ALL_DAYS = range(7 * WEEKS)
NEW = [(day, 4 * day + customer, article, 500) for day, customer, article, _ in rows(4, 20, ALL_DAYS)]
TOO_SHORT = "weeks"  # of which there are too few
WORLDS: dict[str, tuple[list[Row], int, str | None]] = {
    "one customer": (rows(1, 20, ALL_DAYS), 5, None),
    "one article": (rows(9, 1, ALL_DAYS), 1, None),
    "one purchase a week": ([(day, 0, day // 7, 500) for day in ALL_DAYS[::7]], 5, "No candidate was bought in the tr"),
    "all new": (NEW, 5, None),
    "all the same": ([(day, 0, 0, 500) for day in ALL_DAYS for _ in range(3)], 1, None),
    "one day": ([(0, customer, article, price) for _, customer, article, price in rows(9, 20, ALL_DAYS)], 5, TOO_SHORT),
    "one purchase": ([(3, 0, 0, 0)], 1, "Nobody bought anything in the week"),
}
"""Purchases, the articles of a list, and the sentence in which the run ends if it can't give any."""


def ingested(folder: Path, bought: list[Row], known: int) -> world.SmallShop:
    shop = world.SmallShop(folder / "raw", folder / "data")
    shop.raw.mkdir()
    raw = [[column.raw for column in world.TRANSACTIONS]]
    for day, customer, article, price in sorted(bought, reverse=True):
        ids = [world.customer_id(customer), world.article_id(article)]
        raw.append([str(LAST - datetime.timedelta(days=day)), *ids, world.price(price), str(1 + article % 2)])
    shop.write("transactions", raw)
    shop.write("articles", world.articles(range(1 + max(row[2] for row in bought))))
    shop.write("customers", world.customers(range(known + max(row[1] for row in bought))))
    ingest(shop.settings())
    return shop


def config(folder: Path, shop: world.SmallShop, k: int, networks: bool) -> Config:
    """A pipeline of every part that there is; without `networks` of those that need no Merlin."""

    def every(base: type[Any]) -> dict[str, Any]:
        return {kind: SIZES.get(kind, {}) for kind in kinds(base) if networks or kind not in NETWORKS}

    stack = {
        "kind": "stack",
        "stacker": QUICK,
        "rankers": {name: RANKERS[name] for name in every(Ranker) if name in RANKERS},
    }
    parts = {
        "retrievers": every(Retriever),
        "features": every(Feature),
        "negatives": every(NegativeSampler),
        "ranker": stack,
        "quotas": {"keep": 30},
        "lists": {"k": k},
    }
    places = {"data.raw": str(shop.raw), "data.root": str(shop.root), "runs": str(folder / "runs"), "engine": "cpu"}
    return load_config("small", {**places, **parts, "weeks.train": 2})


@pytest.mark.parametrize("name", WORLDS)
def test_every_part_runs_or_leaves_itself_out(name: str, tmp_path: Path) -> None:
    bought, k, sentence = WORLDS[name]
    shop = ingested(tmp_path, bought, known=9)
    line = config(tmp_path, shop, k, networks=name == WITH_NETWORKS)
    if sentence:
        with pytest.raises(HmgpuError, match=sentence):
            finish(line)
        return
    lists = pl.read_csv(finish(line), infer_schema=False)
    assert lists.height == 9 + max(row[1] for row in bought)
    assert (lists["prediction"].str.split(" ").list.n_unique() == k).all()


def finish(config: Config) -> Path:
    pipeline = open_pipeline(config, CPU)
    with pipeline.working():
        return pipeline.finish()
