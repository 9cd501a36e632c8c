"""How near a feature family comes to the memory's speed: the bytes of its columns, and the memory's bandwidth.

Joins and sums compute little for each byte, so the memory's bandwidth bounds them (Williams, Waterman & Patterson 2009,
"Roofline"). What a family needs beyond that bound goes into reading files, intermediate tables, and waiting.
"""

import time
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_

import polars as pl

from hmgpu.benchmark.engines import wait_for
from hmgpu.benchmark.rivals.pandas_tables import ARTICLE, CUSTOMER, Needs
from hmgpu.core.engine import Engine
from hmgpu.core.extras import missing
from hmgpu.data.store import History
from hmgpu.parts.candidates import KEYS

BYTES = 2**29  # size of one array: many times what caches hold
ROUNDS, TIMES = 10, 5


def bandwidth(engine: Engine, size: int = BYTES) -> float | None:
    """Return the bytes a second that the memory of `engine` reads and writes at best, by all threads together.

    Measured by STREAM's "scale" (McCalpin 1995), one array of `size` bytes times a number into another: the best of ten
    rounds of five. None without torch, or on a GPU that torch was not built for.
    """
    if missing(["torch"]):
        return None
    import torch  # takes seconds

    if engine.name == "gpu" and not torch.cuda.is_available():
        return None
    source = torch.ones(size // 4, dtype=torch.float32, device=engine.device)
    target = torch.empty_like(source)
    best = float("inf")
    for _ in range(ROUNDS):
        wait_for(engine)
        started = time.perf_counter()
        for _ in range(TIMES):  # so that starting and waiting, which take a GPU some microseconds, don't count
            torch.mul(source, 2.0, out=target)
        wait_for(engine)
        best = min(best, (time.perf_counter() - started) / TIMES)
    moved = 2 * source.nbytes
    del source, target
    if engine.name == "gpu":
        torch.cuda.empty_cache()  # what torch keeps would look like the memory of what is measured next
    return moved / best


def column_bytes(
    history: History, needs: Iterable[Needs], read: pl.DataFrame, made: pl.DataFrame, engine: Engine
) -> int:
    """Return the bytes of the columns that families read, each counted once, and of the columns that they compute.

    Columns count as they lie in memory, decoded, and whole, since every customer's sales lie between others'. A column
    of the sales counts as far back as any of the families looks at it.

    Args:
        needs: what each family reads.
        read: what is read of the candidates: their keys, and their scores and ranks where families compare them.
        made: (customer, article, the families' columns).
        engine: collects what is read.
    """
    needs = [*needs]
    together = reduce(or_, needs, Needs())
    columns = [
        _past(history, [each.days for each in needs if name in each.sales]).select(name) for name in together.sales
    ]
    if together.articles:
        columns += [history.articles.select(name) for name in together.articles | {ARTICLE}]
    if together.customers:
        columns += [history.customers.select(name) for name in together.customers | {CUSTOMER}]
    # One after the other: all of them would not fit next to what contenders hold.
    known = sum(engine.collect(column).estimated_size() for column in columns)
    return int(known + read.estimated_size() + made.drop(KEYS).estimated_size())


def _past(history: History, days: Sequence[int | None]) -> pl.LazyFrame:
    """The sales of the longest of `days`, or all sales where one of `days` is None."""
    known = [each for each in days if each is not None]
    return history.last(max(known)) if len(known) == len(days) else history.transactions
