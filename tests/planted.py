"""Candidates with a rule in them that a ranker can find."""

from pathlib import Path

import numpy as np
import polars as pl

from hmgpu.core.metrics import map_at
from hmgpu.core.plans import ranked
from hmgpu.parts.examples import Examples
from hmgpu.parts.rankers.xgboost import XGBoost

PER_CUSTOMER = 20
SMALL = XGBoost(rounds=25, patience=10, learning_rate=0.3, depth=3, rows=1, columns=1)


def planted(customers: int, seed: int, first: int = 0) -> pl.DataFrame:
    """Candidates that are bought when `price_fit` and `recency` are both high; the retriever's rank says nothing."""
    random = np.random.default_rng(seed)
    rows = customers * PER_CUSTOMER
    fit, recency, noise = random.random((3, rows), dtype=np.float32)
    return pl.DataFrame(
        {
            "customer": np.repeat(np.arange(first, first + customers, dtype=np.int32), PER_CUSTOMER),
            "article": np.tile(np.arange(PER_CUSTOMER, dtype=np.int32), customers),
            "label": ((fit > 0.6) & (recency > 0.7)).astype(np.int8),
            "popular_score": np.tile(np.arange(PER_CUSTOMER, 0, -1, dtype=np.float32), customers),
            "popular_rank": np.tile(np.arange(1, PER_CUSTOMER + 1, dtype=np.int32), customers),
            "price_fit": fit,
            "recency": recency,
            "noise": noise,
        }
    )


def on_disk(folder: Path, **tables: pl.DataFrame) -> Examples:
    for name, table in tables.items():
        table.write_parquet(folder / f"{name}.parquet")
    return Examples(tuple(folder / f"{name}.parquet" for name in tables))


def bought_something(table: pl.DataFrame) -> pl.DataFrame:
    """The candidates of customers who bought one of theirs."""
    return table.filter(pl.col("label").max().over("customer") > 0)


def map_of(model, table: pl.DataFrame, engine) -> float:
    scored = table.lazy().select("customer", "article").with_columns(score=model.score(table))
    bought = table.filter(pl.col("label") == 1).select("customer", "article")
    return map_at(engine.collect(ranked(scored, by="customer")), bought)


def saved(model, folder: Path) -> dict[str, bytes]:
    """The files that `model` writes into the new `folder`."""
    folder.mkdir()
    model.save(folder)
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def check_saved_and_loaded(ranker, model, unseen: pl.DataFrame, folder: Path, engine) -> None:
    """Fails unless what `ranker` loads scores as `model` does, and is saved as the same bytes."""
    once = saved(model, folder / "model")
    loaded = ranker.load(folder / "model", engine)
    assert loaded.score(unseen).dtype == pl.Float32
    assert loaded.score(unseen).equals(model.score(unseen))
    assert saved(loaded, folder / "again") == once


def check_seed_alone_decides(ranker, weeks: tuple[Examples, Examples], folder: Path, engine) -> None:
    once, again, other = (
        saved(ranker.fit(*weeks, engine, seed), folder / str(number)) for number, seed in enumerate((5, 5, 6))
    )
    assert once == again
    assert once != other


def idle_settings(ranker, others: dict, weeks: tuple[Examples, Examples], unseen: pl.DataFrame, engine) -> list[str]:
    """Those of `others` (setting: another value) that leave the scores of the fitted `ranker` as they are."""

    def scores(settings: dict) -> list[float]:
        return ranker.model_copy(update=settings).fit(*weeks, engine, 1).score(unseen).to_list()

    before = scores({})
    return [name for name, value in others.items() if scores({name: value}) == before]
