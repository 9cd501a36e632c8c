"""Customers who like an eighth of the catalogue each, and what a trained retriever finds of it in the week ahead."""

import functools
import random
from pathlib import Path
from typing import Any

import kit
import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.metrics import recall_at
from hmgpu.data.store import History
from hmgpu.parts.part import PartContext
from hmgpu.parts.retrievers.popular import Popular
from hmgpu.testing import make_history

CPU = Engine("cpu", "tests")
GROUPS, ARTICLES, CUSTOMERS = 8, 800, 400
PAIR = {"customer": pl.Int32, "article": pl.Int32}


@functools.cache
def tastes() -> tuple[History, pl.DataFrame]:
    """The history up to the cutoff, and what was bought in the week after it (customer, article), each once.

    Customers buy three articles a week, all from the eighth that they like.
    """
    draw = random.Random(1)
    bought = []
    for customer in range(CUSTOMERS):
        liked = range(customer % GROUPS, ARTICLES, GROUPS)
        bought += [(ago, customer, draw.choice(liked)) for ago in range(-6, 64) if draw.random() < 0.4]
    attributes = {article: {"product_type": article % 40} for article in range(ARTICLES)}
    history = make_history([row for row in bought if row[0] > 0], articles=attributes)
    labels = [(customer, article) for ago, customer, article in bought if ago <= 0]
    return history, pl.DataFrame(labels, schema=PAIR, orient="row").unique()


@functools.cache
def few_sold() -> History:
    """Five articles that sell every day to nine customers, and article 7, which sold one unit too few."""
    return make_history([(day, day % 9, day % 5) for day in range(1, 60)] + [(day, 1, 7) for day in (9, 16, 23)])


def trained(part: Any, history: History, folder: Path, engine: Engine = CPU) -> Any:
    """`part`, trained on `history`, with its model in `folder`."""
    folder.mkdir(exist_ok=True)
    encoders = kit.encoders(history, engine)
    part.bind(PartContext(engine, 1, lambda: encoders)).train(history, folder, folder / "work")
    return part.bind(PartContext(engine, 1, lambda: encoders, folder))


def found(part: Any, history: History, customers: pl.LazyFrame) -> pl.DataFrame:
    """What `part`, bound, proposes to `customers`."""
    return CPU.collect(part.retrieve(kit.learned(part, history, CPU), customers))


def times_popular(part: Any) -> float:
    """How many times as much of the week ahead `part`, trained on these tastes, finds as the best sellers do."""
    history, labels = tastes()
    buyers = labels.lazy().select("customer").unique()
    popular = found(kit.bound(Popular(n=100), history, CPU), history, buyers)
    return recall_at(found(part, history, buyers), labels, 100) / recall_at(popular, labels, 100)


def described(part: Any) -> tuple[dict[str, float], dict[str, float]]:
    """The means of the columns of `part`: of articles that the first forty customers like, and of others."""
    history, _ = tastes()
    pairs = [(customer, article) for customer in range(40) for article in range(64)]
    asked = pl.LazyFrame(pairs, schema=PAIR, orient="row")
    columns = CPU.collect(part.compute(kit.learned(part, history, CPU), asked))
    liked = pl.col("customer") % GROUPS == pl.col("article") % GROUPS
    own, others = (columns.filter(side).drop(PAIR).mean().to_dicts()[0] for side in (liked, ~liked))
    return own, others


def served_newcomers(part: Any) -> dict[int, set[int]]:
    """What is proposed, where only two articles sell, to a customer who was known and to one who wasn't.

    Article 0 was known, {ARTICLES + 9} wasn't; article 1 doesn't sell.
    """
    new, newcomer = ARTICLES + 9, CUSTOMERS + 5
    later = make_history([(1, 0, 0), (40, 1, 1), (1, newcomer, new)], articles={new: {"product_type": 3}})
    asked = pl.LazyFrame({"customer": [0, newcomer]}, schema={"customer": pl.Int32})
    served = found(part, later, asked)
    return {customer: set(served.filter(pl.col("customer") == customer)["article"]) for customer in (0, newcomer)}


def idle_settings(part: Any, others: dict[str, Any], folder: Path) -> list[str]:
    """Those of `others` (setting: another value) that leave the trained weights of `part` as they are."""

    def output(name: str, settings: dict[str, Any]) -> bytes:
        fitted = trained(part.model_copy(update=settings), few_sold(), folder / name)
        (weights,) = fitted.context.model.glob("*.npz")
        return weights.read_bytes()

    before = output("before", {})
    return [name for name, value in others.items() if output(name, {name: value}) == before]
