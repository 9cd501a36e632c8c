"""A join that would explode is kept within bounds, and the bound is said."""

import logging
import subprocess
import sys
import textwrap

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmgpu.core.engine import Engine
from hmgpu.core.join_budget import affordable

CPU = Engine("cpu", "tests")


def grouped(sizes: list[int]) -> pl.LazyFrame:
    """Rows of customers, with so many rows for each."""
    return pl.LazyFrame({"customer": [customer for customer, size in enumerate(sizes) for _ in range(size)]})


@given(sizes=st.lists(st.integers(1, 40), max_size=12), wanted=st.integers(1, 50), most=st.integers(1, 5000))
def test_as_many_as_are_affordable_and_no_fewer(sizes, wanted, most):
    found = affordable(grouped(sizes), "customer", wanted, most, "test", CPU)

    def pairs(n):
        return sum(min(size, n) ** 2 for size in sizes)

    assert 1 <= found <= wanted
    assert found == 1 or pairs(found) <= most
    assert found == wanted or pairs(found + 1) > most


def test_only_a_limit_that_cuts_rows_off_is_logged(caplog):
    logging.getLogger("hmgpu").propagate = True
    with caplog.at_level(logging.WARNING):
        assert affordable(grouped([100, 3]), "customer", 30, 1000, "rules", CPU) == 30
        assert caplog.messages == []
        assert affordable(grouped([100, 3]), "customer", 30, 500, "rules", CPU) == 22
    (message,) = caplog.messages
    assert (
        message == "rules: 30 rows of each customer would form 909 pairs, above the limit of 500, so only 22 are paired"
    )


WHOLESALE = """
    import logging, resource, sys
    import polars as pl
    from hmgpu.data.store import History
    from hmgpu.core.engine import Engine
    from hmgpu.parts.part import PartContext
    from hmgpu.parts.retrievers.copurchase import CoPurchase

    logging.basicConfig(level=logging.WARNING)
    limit = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    # Twenty wholesalers who bought 30,000 articles each: 18,000 million pairs.
    customers = pl.DataFrame({"customer": range(20)}, schema={"customer": pl.Int32})
    articles = pl.DataFrame({"article": range(30_000)}, schema={"article": pl.Int32})
    bought = customers.join(articles, how="cross").with_columns(day=pl.lit(99, pl.Int32) - pl.col("article") % 7)
    known = articles.with_columns(first_day=pl.lit(1, pl.Int32))
    history = History(100, bought.lazy(), known.lazy(), customers.lazy(), frozenset())
    engine = Engine("cpu", "tests")
    part = CoPurchase(per_customer=30_000, pairs=int(sys.argv[2])).bind(PartContext(engine, 1, lambda: None))
    print(engine.collect(part.learn(history)["rules"]).height)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as Linux does it")
def test_wholesalers_do_not_fill_the_memory():
    """Learn in a process of at most 3 GiB; with a higher limit of pairs it fails, so the guard is needed."""

    def learn(pairs: int) -> subprocess.CompletedProcess:
        command = [sys.executable, "-c", textwrap.dedent(WHOLESALE), str(3 * 2**30), str(pairs)]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)

    guarded = learn(2_000_000)
    assert guarded.returncode == 0, guarded.stderr
    assert int(guarded.stdout) > 0
    assert "would form 1.8e+10 pairs, above the limit of 2e+06" in guarded.stderr
    assert learn(10**12).returncode != 0
