"""Split customers into shards that fit the memory to plan for, and halve a shard that does not fit after all."""

import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

from hmgpu.core.engine import ran_out_of_memory
from hmgpu.parts.retriever import Retriever

log = logging.getLogger(__name__)

# Measured: with 140 columns of 4 bytes a candidate that is asked for takes 300 bytes, since less than half of them are
# left (retrievers agree, and customers without purchases get few), while joins and scores need a little more.
LEFT = 300 / (140 * 4)
WIDEST = 4_000  # bytes of a candidate with more columns than any config makes
WORKING_SHARE = 0.4  # of the memory; the rest is for article tables, customer tables and the ranker
MOST = 8_000_000  # candidates asked for at once: with three times as many, each takes a fifth longer (profiles.md)


@dataclass(frozen=True)
class Shard:
    """Some of the customers, processed at once."""

    number: int
    of: int
    """How many shards there are."""
    customers: pl.DataFrame
    """(customer), sorted."""


def split(
    customers: pl.DataFrame, retrievers: Iterable[Retriever], memory_gb: float, width: Callable[[], int]
) -> list[Shard]:
    """Split `customers` (customer), sorted, into as few equal shards as `memory_gb` and `MOST` allow; at least one.

    Shards are ranges of customer keys, so that the same customers, memory and columns give the same shards.

    Args:
        width: returns the bytes of a candidate with all columns that are computed; asked only where they may decide.
    """
    candidates = sum(retriever.n for retriever in retrievers)
    memory = memory_gb * WORKING_SHARE * 2**30 / LEFT
    allowed = memory / WIDEST
    if allowed < min(MOST, customers.height * candidates):
        allowed = memory / width()
    allowed = min(MOST, allowed)
    fitting = max(1, int(allowed / candidates))
    shards = max(1, math.ceil(customers.height / fitting))
    size = max(1, math.ceil(customers.height / shards))
    ordered = customers.sort("customer")
    parts = [ordered.slice(start, size) for start in range(0, max(1, customers.height), size)]
    return [Shard(number, len(parts), part) for number, part in enumerate(parts)]


def as_fits(work: Callable[[pl.DataFrame], pl.DataFrame], customers: pl.DataFrame) -> pl.DataFrame:
    """Return `work(customers)`, computed in halves where all `customers` (customer) at once don't fit into memory.

    A customer's rows must not depend on other customers, and must come in the order of the customers, so that two
    halves put together equal the whole. Raises what `work` raises where a single customer doesn't fit.
    """
    try:
        return work(customers)
    except Exception as error:
        if customers.height < 2 or not ran_out_of_memory(error):
            raise
        log.warning(
            "out of memory with %d customers at once; trying again with half of them at a time", customers.height
        )
    # Outside the except block, since the error keeps everything alive that had been computed.
    half = customers.height // 2
    parts = [as_fits(work, customers.slice(0, half)), as_fits(work, customers.slice(half))]
    return pl.concat(parts, rechunk=True)
