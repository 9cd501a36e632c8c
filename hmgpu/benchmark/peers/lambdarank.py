"""The common public H&M solution: candidates, a handful of features, LightGBM's LambdaRank (Ke et al. 2017).

Candidates are the customer's past purchases, other colours of them, articles bought together with them, and last week's
best sellers, as in the notebooks that most teams of the competition started from.
"""

from typing import Any

import lightgbm
import polars as pl

from hmgpu.benchmark.peers import PLACES, Peer
from hmgpu.benchmark.peers.notebook_candidates import OWN, PAIR, candidates
from hmgpu.benchmark.peers.notebook_features import with_notebook_features
from hmgpu.benchmark.peers.purchases import EMPTY
from hmgpu.core.engine import Engine
from hmgpu.data.store import History

DAYS = 7
LABEL = "bought"


def recommend(
    history: History,
    customers: pl.DataFrame,
    engine: Engine,
    seed: int,
    weeks: int,
    rounds: int,
    learning_rate: float,
    leaves: int,
    own: int = OWN,
) -> pl.DataFrame:
    """Recommend the candidates that a ranker puts first, fitted on the last `weeks` weeks.

    Each of these weeks is described from the history before it. Candidates are `own` past articles, and what is listed
    above.
    """
    first = history.cutoff - DAYS
    examples = pl.concat([_examples(history, first - DAYS * back, engine, own) for back in range(weeks)])
    if examples.is_empty():
        return EMPTY
    features = [name for name in examples.columns if name not in (*PAIR, "week", LABEL)]
    groups = examples.group_by("week", "customer", maintain_order=True).len()["len"]
    settings: dict[str, Any] = {
        "objective": "lambdarank",
        "learning_rate": learning_rate,
        "num_leaves": leaves,
        "lambdarank_truncation_level": PLACES + 3,
        "min_data_in_leaf": 50,
        "feature_fraction": 0.8,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    table = lightgbm.Dataset(_numbers(examples, features), examples[LABEL].to_numpy(), group=groups.to_numpy())
    model = lightgbm.train(settings, table, rounds)
    pairs = with_notebook_features(candidates(history, customers, engine, own), history, engine)
    scored = pairs.select(PAIR).with_columns(score=pl.Series(model.predict(_numbers(pairs, features))))
    ordered = scored.sort("customer", "score", "article", descending=[False, True, False])
    ranked = ordered.with_columns(rank=pl.int_range(1, pl.len() + 1).over("customer").cast(pl.Int32))
    return ranked.filter(pl.col("rank") <= PLACES).select(*PAIR, "rank")


def _examples(history: History, first: int, engine: Engine, own: int) -> pl.DataFrame:
    """Candidates with features of the week from day `first` on, for customers who bought one of their candidates."""
    bought = engine.collect(
        history.transactions.filter(pl.col("day").is_between(first, first + DAYS - 1)).select(PAIR).unique()
    )
    before = history.before(first)
    pairs = candidates(before, bought.select("customer").unique(), engine, own)
    labelled = pairs.join(bought.with_columns(pl.lit(1).alias(LABEL)), on=PAIR, how="left", maintain_order="left")
    labelled = labelled.with_columns(pl.col(LABEL).fill_null(0), week=first)
    with_purchase = labelled.filter(pl.col(LABEL).max().over("customer") > 0)
    return with_notebook_features(with_purchase, before, engine)


def _numbers(pairs: pl.DataFrame, features: list[str]) -> Any:
    return pairs.select(pl.col(features).cast(pl.Float32)).fill_null(float("nan")).to_numpy()


PEER = Peer(
    recommend,
    [
        {"weeks": 4, "rounds": 200, "learning_rate": 0.05, "leaves": 31},
        {"weeks": 4, "rounds": 300, "learning_rate": 0.03, "leaves": 127},
        {"weeks": 2, "rounds": 100, "learning_rate": 0.05, "leaves": 31},
        # Where baskets are large and customers come back for a year: more of their articles, and more weeks.
        {"weeks": 12, "rounds": 300, "learning_rate": 0.03, "leaves": 31, "own": 100},
    ],
    ("lightgbm",),
)
