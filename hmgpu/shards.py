"""How many customers are worked on at once, from the memory there is to plan for."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from hmgpu.retrievers import Retriever

# Measured: a described candidate has some 140 columns of 4 bytes, and less than half as many candidates are left as
# were asked for, since strategies agree and who bought nothing gets few; joins and scores hold a little beside.
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
