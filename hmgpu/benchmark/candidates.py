"""`hmgpu benchmark candidates`: every retriever on CPU and GPU, and the rules of co-purchase as sparse products too.

Measured from the data set's files on: a retriever learns, then proposes to the customers who bought in the last
complete week. Retrievers with models to train have benchmarks of their own.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from importlib import metadata
from typing import Any

import polars as pl

from hmgpu.benchmark.agreement import DisagreementError, largest_difference
from hmgpu.benchmark.engines import plans_on
from hmgpu.benchmark.learned import learned, with_engine
from hmgpu.benchmark.result import Result
from hmgpu.benchmark.rivals.sparse_copurchase import sparse_rules
from hmgpu.benchmark.subject import Subject
from hmgpu.benchmark.timing import Contender, Measurement, measure
from hmgpu.core.engine import Engine
from hmgpu.core.join_budget import affordable
from hmgpu.data.store import History
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.retriever import Retriever
from hmgpu.parts.retrievers.copurchase import CoPurchase

RULE = ("seed", "article")


def benchmark_candidates(
    subject: Subject, engines: Sequence[Engine], absent: Mapping[str, str], repeats: int
) -> Result:
    """Measure learning and retrieving, a retriever at a time. Raises DisagreementError unless results are equal."""
    history, customers = subject.history, buyers(subject, engines[0])
    retrievers = subject.untrained.retrievers
    measured = []
    for name, part in retrievers.items():
        contenders = [
            Contender(plans_on(engine), partial(propose, part, history, customers, engine))
            for engine in reversed(engines)  # so that the last, which others are compared with, is on the CPU
        ]
        check = partial(_check_equal, name, KEYS)
        measured.append(measure(name, customers.height, "customers", contenders, repeats, check))
    rules = next((part for part in retrievers.values() if type(part) is CoPurchase), CoPurchase())
    measured += _measured_rules(subject, rules, engines, repeats)
    only = "" if len(engines) > 1 else f"; only {engines[0].name} ran, so retrievers were compared with nothing"
    settings = {
        "retrievers": {name: part.settings() for name, part in retrievers.items()},
        "rules": rules.settings(),
        "left_out": subject.left_out,
        "repeats": repeats,
        "engines": [engine.name for engine in engines],
        "threads": pl.thread_pool_size(),
        "scipy": metadata.version("scipy"),
    }
    said = {"equal": f"every candidate, rule, score and rank equal{only}"}
    data = subject.data_facts() | {"buyers": customers.height}
    return Result("candidates", measured, said, settings, data, absent)


def buyers(subject: Subject, engine: Engine) -> pl.DataFrame:
    """Return (customer), sorted: the customers who bought in the last complete week."""
    return engine.collect(subject.store.sold_in(subject.store.last_complete_week).select("customer").unique()).sort(
        "customer"
    )


def units(transactions: pl.LazyFrame, engine: Engine) -> int:
    """Return how many units were bought in `transactions`."""
    return int(engine.collect(transactions.select(pl.col("day").count())).item())


def propose(part: Retriever, history: History, customers: pl.DataFrame, engine: Engine) -> pl.DataFrame:
    """Let `part` learn and then propose; return (customer, article, score, rank)."""
    known = learned(part, history, history.of(customers.lazy()), engine)
    return engine.collect(with_engine(part, engine).retrieve(known, customers.lazy()))


def _measured_rules(subject: Subject, rules: CoPurchase, engines: Sequence[Engine], repeats: int) -> list[Measurement]:
    """Measure learning the rules alone, with the config's weights and as plain counts, which one product gives."""
    past = subject.history.last(rules.days)
    height = units(past, engines[0])
    # The plans lower this number themselves where they would form too many pairs: the products get the lowered one.
    different = past.select("customer", "article").unique()
    paired = affordable(different, "customer", rules.per_customer, rules.pairs, "benchmark", engines[0])
    rules = rules.model_copy(update={"per_customer": paired})
    plain = rules.model_copy(update={"gap": 1.0, "backwards": 1.0})
    measured = []
    for what, part in (("co-purchase rules", rules), ("co-purchase rules, gap and backwards 1", plain)):
        contenders = [Contender(_product_on(engine), partial(_product, subject, part, engine)) for engine in engines]
        contenders += [
            Contender(plans_on(engine), partial(_planned, subject.history, part, engine))
            for engine in reversed(engines)
        ]
        check = partial(_check_equal, what, RULE)
        measured.append(measure(what, height, "purchases", contenders, repeats, check))
    return measured


def _planned(history: History, part: CoPurchase, engine: Engine) -> pl.DataFrame:
    return engine.collect(with_engine(part, engine).learn(history)["rules"])


def _product(subject: Subject, part: CoPurchase, engine: Engine) -> pl.DataFrame:
    return sparse_rules(subject.store, subject.history.cutoff, part, engine)


def _product_on(engine: Engine) -> str:
    return f"sparse product, {'CuPy, GPU' if engine.name == 'gpu' else 'SciPy, CPU'}"


def _check_equal(what: str, keys: Sequence[str], results: Mapping[str, Any]) -> None:
    """Raise DisagreementError unless all tables hold the same rows."""
    *others, against = results
    for name in others:
        try:
            # All are whole numbers: whichever contender computes them, not one may differ.
            largest_difference(results[against], results[name], 0.0, keys)
        except DisagreementError as error:
            raise DisagreementError(f"{what}: {against} and {name}: {error}") from None
