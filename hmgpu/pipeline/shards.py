"""How many customers are worked on at once: what the memory to plan for allows, and fewer where that was too many."""

import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

from hmgpu.core.engine import ran_out_of_memory
from hmgpu.parts.retriever import Retriever

log = logging.getLogger(__name__)

# Measured: a described candidate has some 140 columns of 4 bytes, and less than half as many candidates are left as
# were asked for, since retrievers agree and who bought nothing gets few; joins and scores hold a little beside.
BYTES_A_CANDIDATE = 300
WORKING_SHARE = 0.4  # of the memory; the rest is for article tables, customer tables and the ranker
MOST = 8_000_000  # candidates asked for at once: with three times as many each takes a fifth longer (profiles.md)


@dataclass(frozen=True)
class Shard:
    """Some of the customers, worked on at once."""

    number: int
    of: int
    """How many shards there are."""
    customers: pl.DataFrame
    """(customer), sorted."""


def split(customers: pl.DataFrame, retrievers: Iterable[Retriever], memory_gb: float) -> list[Shard]:
    """`customers` (customer), sorted and in as few equal shards as `memory_gb` and `MOST` allow; at least one.

    Shards are ranges of customer keys, so that the same customers and memory give the same shards.
    """
    candidates = sum(retriever.n for retriever in retrievers)
    allowed = min(MOST, memory_gb * WORKING_SHARE * 2**30 / BYTES_A_CANDIDATE)
    fitting = max(1, int(allowed / candidates))
    shards = max(1, math.ceil(customers.height / fitting))
    size = max(1, math.ceil(customers.height / shards))
    ordered = customers.sort("customer")
    parts = [ordered.slice(start, size) for start in range(0, max(1, customers.height), size)]
    return [Shard(number, len(parts), part) for number, part in enumerate(parts)]


def as_fits(work: Callable[[pl.DataFrame], pl.DataFrame], customers: pl.DataFrame) -> pl.DataFrame:
    """What `work` makes of `customers` (customer), in halves where all of them at once are too many for the memory.

    What is made of a customer must not depend on the others, and come in the order of the customers: then halves put
    together are what the whole would have been. Raises what `work` raises where one customer alone is too many.
    """
    try:
        return work(customers)
    except Exception as error:
        if customers.height < 2 or not ran_out_of_memory(error):
            raise
        log.warning("the memory did not suffice for %d customers at once: half of them at a time", customers.height)
    # Out of the except block, since the error holds on to all that had been made.
    half = customers.height // 2
    parts = [as_fits(work, customers.slice(0, half)), as_fits(work, customers.slice(half))]
    return pl.concat(parts, rechunk=True)
