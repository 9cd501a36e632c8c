"""A shard that is too large for the memory is computed in halves, to the same bytes."""

import polars as pl
import pytest
from faults import acts
from faults.kit import unharmed
from hypothesis import given
from hypothesis import strategies as st

from hmgpu.core.engine import ran_out_of_memory
from hmgpu.pipeline.shards import as_fits


def customers(number: int) -> pl.DataFrame:
    return pl.DataFrame({"customer": range(number)}, schema={"customer": pl.Int32})


@given(number=st.integers(1, 300), most=st.integers(1, 300))
def test_halves_put_together_are_the_whole(number, most):
    asked = []

    def work(some: pl.DataFrame) -> pl.DataFrame:
        asked.append(some.height)
        if some.height > most:
            raise MemoryError
        return some.with_columns(twice=pl.col("customer") * 2)

    made = as_fits(work, customers(number))
    assert made.equals(customers(number).with_columns(twice=pl.col("customer") * 2))
    assert made.n_chunks() == 1
    assert sum(size for size in asked if size <= most) == number


def test_one_customer_who_is_too_many_is_an_error():
    def never(some: pl.DataFrame) -> pl.DataFrame:
        raise MemoryError("17 GB")

    with pytest.raises(MemoryError, match="17 GB"):
        as_fits(never, customers(5))


def test_other_errors_are_not_tried_again():
    asked = []

    def broken(some: pl.DataFrame) -> pl.DataFrame:
        asked.append(some.height)
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        as_fits(broken, customers(5))
    assert asked == [5]


class OutOfMemoryError(RuntimeError):
    """An error with the name that torch and CuPy give theirs."""


@pytest.mark.parametrize(
    ("error", "ran_out"),
    [
        (MemoryError(), True),
        (OutOfMemoryError("CUDA error"), True),
        (pl.exceptions.ComputeError("MemoryError: std::bad_alloc: out_of_memory: RMM failure at: pool.hpp"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (OSError(12, "Cannot allocate memory"), True),
        (pl.exceptions.ComputeError("schema of the memory map differs"), False),
        (ValueError("memory_gb"), False),
    ],
)
def test_what_is_a_lack_of_memory(error, ran_out):
    assert ran_out_of_memory(error) == ran_out


def test_a_retrain_with_too_little_memory_ends_with_the_same_bytes(story, place, forker, count):
    """Of some 170 buyers and 2,700 customers 120 fit at once: examples and lists are those of the whole shard."""
    ended = forker.run(acts.with_little_memory_a_shard, place.retrain(1), 120, "polars")
    unharmed(ended)
    assert ended.code == 0, ended.said
    assert "out of memory with " in ended.said
    assert place.check(story.after) == story.after
    count("other faults")


def test_quotas_counted_in_halves_are_the_same(story, place, forker, tmp_path, count):
    settings = ("quotas={keep: 20, customers: 60}", "features={article_sales: {}}")
    tables = []
    for name, act, more in (("whole", acts.hmgpu, ()), ("halves", acts.with_little_memory_a_shard, (25, "memory"))):
        command = place.command("train", settings=(*settings, f"runs={tmp_path / name}"))
        ended = forker.run(act, command, *more)
        assert ended.code == 0, ended.said
        tables.append({path.relative_to(tmp_path / name): path.read_bytes() for path in _tables(tmp_path / name)})
    assert len(tables[0]) > 5
    assert tables[0] == tables[1]
    count("other faults")


def _tables(runs):
    return [path for path in runs.rglob("table.parquet") if "examples" in path.parts or "quotas" in str(path)]
