"""How near the memory's speed a family comes: the bytes that it must move, and those that the memory moves at best.

Joins and sums compute little for each byte, so the memory's bandwidth bounds them (Williams, Waterman & Patterson 2009,
"Roofline"). What a family needs beyond that bound goes into reading files, intermediate tables, and waiting.
"""

import time
from collections.abc import Callable, Iterable

import polars as pl

from hmgpu.benchmark.rivals.pandas_tables import ARTICLE, CUSTOMER, Needs
from hmgpu.data.store import History
from hmgpu.engine import Engine
from hmgpu.rankers import KEYS

BYTES = 2**29  # of one array: many times what caches hold
ROUNDS = 10


def bandwidth(engine: Engine, size: int = BYTES) -> float:
    """Bytes a second that the memory of `engine` reads and writes at best, by all its threads together.

    STREAM's "scale" (McCalpin 1995), one array of `size` bytes times a number into another: the best of ten.
    """
    import torch  # takes seconds

    source = torch.ones(size // 4, dtype=torch.float32, device=engine.device)
    target = torch.empty_like(source)
    waits: Callable[[], None] = torch.cuda.synchronize if engine.device == "cuda" else lambda: None
    best = float("inf")
    for _ in range(ROUNDS):
        waits()
        started = time.perf_counter()
        torch.mul(source, 2.0, out=target)
        waits()
        best = min(best, time.perf_counter() - started)
    return 2 * source.nbytes / best


def least_bytes(
    history: History, needs: Iterable[Needs], read: pl.DataFrame, made: pl.DataFrame, engine: Engine
) -> int:
    """Bytes that describing candidates moves at least: each needed column read once, each made column written once.

    Columns count as they lie in memory, decoded. The customers' and articles' tables count whole.

    Args:
        needs: of the families.
        read: what is read of the candidates: their keys, and their scores and ranks where these are compared.
        made: (customer, article, what the families made of them).
        engine: collects what is read.
    """
    together = Needs()
    for each in needs:
        together |= each
    past = history.transactions if together.days is None else history.last(together.days)
    tables = (
        (past, together.sales),
        (history.articles, together.articles and together.articles | {ARTICLE}),
        (history.customers, together.customers and together.customers | {CUSTOMER}),
    )
    # One after the other: all of them would not fit beside what contenders hold.
    known = sum(engine.collect(table.select(sorted(names))).estimated_size() for table, names in tables if names)
    return int(known + read.estimated_size() + made.drop(KEYS).estimated_size())
