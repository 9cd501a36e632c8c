"""One evaluated week by hand: three customers, two retrievers, and names of articles that look like markup."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.data.store import History
from hmgpu.evaluation.report.evaluated import Evaluated
from hmgpu.parts.examples import Examples
from hmgpu.parts.rankers.order import OrderModel

EVIL = "<script>alert(1)</script>"
METHODS = ("popular", "order", "ranker")
# customer, article, rank of repurchase, rank of popular, bought
CANDIDATES = [
    (1, 10, 1, 1, 1),
    (1, 11, 2, None, 0),
    (1, 12, None, 2, 0),
    (2, 10, None, 1, 0),
    (2, 12, 1, 2, 1),
    (2, 13, None, 3, 0),
    (3, 10, None, 1, 0),
]
SCHEMA = {
    "customer": pl.Int32,
    "article": pl.Int32,
    "repurchase_rank": pl.Int32,
    "popular_rank": pl.Int32,
    "label": pl.Int8,
}


def by_method(*values: float) -> dict[str, float]:
    return dict(zip(METHODS, values, strict=True))


def lists() -> pl.DataFrame:
    """Candidates in the order of `repurchase`, then `popular`, filled up with the best sellers 10 to 21."""
    first = {1: [10, 11, 12], 2: [12, 10, 13], 3: [10]}
    rows = [
        (customer, article, rank)
        for customer, own in first.items()
        for rank, article in enumerate([*own, *(a for a in range(10, 22) if a not in own)][:12], 1)
    ]
    return pl.DataFrame(rows, {"customer": pl.Int32, "article": pl.Int32, "rank": pl.Int32}, orient="row")


def metrics() -> dict[str, Any]:
    found = {"recall_at_12": 0.1, "recall_at_100": 0.25, "recall_at_500": 0.5, "recall": 0.6, "positive_rate": 0.0123}
    return {
        "week": "2020-08-26",
        "customers": 3,
        "map_at_12": by_method(0.00712, 0.02211, 0.03128),
        "ndcg_at_12": by_method(0.01, 0.02, 0.03),
        "hit_rate_at_12": by_method(0.05, 0.06, 0.07),
        "precision_at_12": by_method(0.0061, 0.0062, 0.00634),
        "coverage": by_method(0.001, 0.2, 0.3),
        "segments": {
            "active": {"customers": 2, "map_at_12": by_method(0.008, 0.023, 0.0333)},
            "new": {"customers": 1, "map_at_12": by_method(0.001, 0.001, 0.00099)},
        },
        "retrievers": {
            name: found | {"candidates": 5, "candidates_a_customer": 4.05}
            for name in ("repurchase", "popular", "merged")
        },
        "of_tomorrow": {"unknown": 1},
    }


@pytest.fixture
def evaluated(make_history: Callable[..., History], tmp_path: Path, engine: Engine) -> Evaluated:
    """Customers 1 (a hit in place 1) and 2 (active), and 3, who is new and buys what nobody proposed."""
    names = {article: EVIL if article == 10 else f"Coat {article}" for article in range(10, 24)}
    attributes = {article: {"name": name, "colour_name": "Red"} for article, name in names.items()}
    # Article 23 is sold for the first time in the week itself.
    bought = [(2, 1, 10), (9, 1, 11), (40, 2, 12), (40, 2, 13), *((60, 4, article) for article in range(14, 23))]
    history = make_history(bought, attributes, {1: {"age": 33}, 2: {}, 3: {}, 4: {}})
    own = pl.DataFrame({"customer": [1, 2, 3, 4], "customer_id": ["one", "two", "three", "four"]}).cast(
        {"customer": pl.Int32}
    )
    everybody = history.customers.join(own.lazy(), on="customer")
    # Without a table of customers, only those who have bought are known.
    history = dataclasses.replace(history, customers=everybody.filter(pl.col("customer") != 3))
    ids = pl.format("00{}", "article").alias("article_id")
    history = dataclasses.replace(history, articles=history.articles.with_columns(ids))
    sold_later = {"article": 23, "article_id": "0023", "name": "Coat 23", "first_day": history.cutoff + 1}
    later = pl.DataFrame([sold_later], schema_overrides={"article": pl.Int32, "first_day": pl.Int32}).lazy()
    file = tmp_path / "examples.parquet"
    Examples.write(file, pl.DataFrame(CANDIDATES, SCHEMA, orient="row"), early=[])
    model = tmp_path / "model"
    model.mkdir()
    curve = {"metric": "ndcg@50", "kept": 2, "validation": [0.25, 0.5, 0.375]}
    (model / "curve.json").write_text(json.dumps(curve))
    (model / "importances.json").write_text(json.dumps({"repurchase_rank": 60.0, "price": 30.0, "odd": 10.0}))
    return Evaluated(
        metrics=metrics(),
        precisions=pl.DataFrame(
            {"customer": [1, 2, 3], "segment": ["active", "lapsed", "new"], "ranker": [1.0, 0.25, 0.0]},
            schema_overrides={"customer": pl.Int32},
        ),
        lists=lists(),
        labels=pl.DataFrame(
            {"customer": [1, 2, 3, 3], "article": [10, 12, 13, 23]}, schema=dict(list(SCHEMA.items())[:2])
        ),
        history=history,
        catalogue=pl.concat([history.articles, later], how="diagonal"),
        customers=everybody,
        examples=Examples((file,)),
        model=OrderModel(("repurchase", "popular")),
        model_files=model,
        retrievers=["repurchase", "popular"],
        families={"repurchase_rank": "retrievers.repurchase", "price": "features.article_price"},
        pictures=None,
        engine=engine,
    )


@pytest.fixture
def grouped(evaluated: Evaluated) -> Evaluated:
    """The week with figures of groups, calibration and variety."""
    means = by_method(0.01, 0.02, 0.03)
    better = means | {"ranker": 0.05}
    bought = {"bought": 7, "articles": 3, "customers": 2}
    calibrated = [
        {"candidates": 50, "score": 1.5, "bought": 0.02, "lift": 1.6, "captured": 0.8},
        {"candidates": 50, "score": -0.5, "bought": 0.005, "lift": 0.4, "captured": 1.0},
    ]
    figures = {
        "groups": {
            "purchases": {name: {"customers": 2, "map_at_12": means} for name in ("0", "1–4", "5–19", "20+")},
            "department": {"Jersey": bought | {"map_at_12": means}, "Knitwear": bought | {"map_at_12": better}},
        },
        "calibration": calibrated,
        "by_place": {method: [0.03 / place for place in range(1, 13)] for method in METHODS},
        "variety": {"novelty": means, "tail_coverage": better},
    }
    return dataclasses.replace(evaluated, metrics={**evaluated.metrics, **figures})
