"""How many customers are worked on at once."""

import math
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmgpu.parts.retrievers.popular import Popular
from hmgpu.parts.retrievers.repurchase import Repurchase
from hmgpu.pipeline.context import StepContext
from hmgpu.pipeline.shards import MOST, split


def usual() -> int:
    """Return the bytes of a candidate with 140 columns of numbers."""
    return 140 * 4


def customers(keys: list[int]) -> pl.DataFrame:
    return pl.DataFrame({"customer": keys}, schema={"customer": pl.Int32})


@given(
    keys=st.lists(st.integers(0, 10**6), min_size=1, max_size=60, unique=True),
    memory=st.floats(1e-7, 1e-3),
    n=st.integers(1, 300),
)
def test_shards_are_ranges_that_hold_every_customer_once(keys, memory, n):
    shards = [shard.customers["customer"].to_list() for shard in split(customers(keys), [Popular(n=n)], memory, usual)]
    assert [key for shard in shards for key in shard] == sorted(keys)
    assert all(shards)
    sizes = [len(shard) for shard in shards]
    assert max(sizes[:-1], default=0) == max(sizes) or len(shards) == 1
    assert sizes[-1] <= max(sizes)


def test_half_the_memory_or_twice_the_candidates_make_twice_the_shards():
    table = customers(list(range(4000)))
    memory = 0.05
    shards = len(split(table, [Popular(n=1000)], memory, usual))
    assert shards > 10
    halved = len(split(table, [Popular(n=1000)], memory / 2, usual))
    doubled = len(split(table, [Popular(n=1000), Repurchase(n=1000)], memory, usual))
    assert halved == doubled == pytest.approx(2 * shards, rel=0.1)
    assert len(split(table, [Popular(n=100)], 12, usual)) == 1


def test_a_shard_fits_into_the_device_too():
    """A machine with much memory may have a GPU with little."""
    table, device = customers(list(range(4000))), SimpleNamespace(memory_gb=0.05)
    context: Any = SimpleNamespace(retrievers={"popular": Popular(n=1000)}, memory_gb=12.0, engine=device)
    assert len(StepContext.shards_of(context, table, usual)) == len(split(table, [Popular(n=1000)], 0.05, usual)) > 10
    context.memory_gb = 0.1  # of which half is less than the device has
    assert len(StepContext.shards_of(context, table, usual, 0.25)) > 20


def test_more_columns_make_more_shards_and_few_customers_need_no_measuring():
    table = customers(list(range(4000)))
    shards = len(split(table, [Popular(n=1000)], 0.05, usual))
    assert len(split(table, [Popular(n=1000)], 0.05, lambda: 4 * usual())) == pytest.approx(4 * shards, rel=0.1)
    assert len(split(table, [Popular(n=1000)], 0.05, lambda: usual() // 4)) == pytest.approx(shards / 4, abs=1)

    def measured() -> int:
        raise AssertionError("nobody needs to know")

    assert len(split(table.head(100), [Popular(n=100)], 0.5, measured)) == 1
    assert len(split(table, [Popular(n=9000)], 1000, measured)) > 1  # MOST decides


def test_however_much_memory_a_shard_has_bounds():
    table = customers(list(range(3000)))
    assert len(split(table, [Popular(n=9000)], 1000, usual)) == math.ceil(3000 / (MOST // 9000)) == 4


@pytest.mark.parametrize("memory", [1e-12, 12.0])
def test_nobody_is_one_empty_shard(memory):
    (shard,) = split(customers([]), [Popular()], memory, usual)
    assert (shard.customers.height, shard.number, shard.of) == (0, 0, 1)


def test_however_little_memory_a_shard_holds_a_customer():
    assert [shard.customers.height for shard in split(customers([3, 1, 2]), [Popular()], 1e-12, usual)] == [1, 1, 1]
