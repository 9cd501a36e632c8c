"""The bytes of hand-made tables' columns, and a bandwidth that a machine can have."""

import polars as pl
import pytest

from hmgpu.benchmark.rivals.pandas_tables import Needs
from hmgpu.benchmark.timing import Measurement
from hmgpu.benchmark.traffic import bandwidth, column_bytes
from hmgpu.core import extras
from hmgpu.core.engine import Engine
from hmgpu.data.store import History

CPU = Engine("cpu", "tests")
SALES = pl.DataFrame(
    {"day": [1, 5, 9], "customer": [0, 1, 1], "article": [0, 0, 1]},
    schema={"day": pl.Int32, "customer": pl.UInt32, "article": pl.UInt16},
)
ARTICLES = pl.DataFrame({"article": [0, 1], "colour": [3, 4]}, schema={"article": pl.UInt16, "colour": pl.UInt8})
CUSTOMERS = pl.DataFrame({"customer": [0, 1], "age": [20, 30]}, schema={"customer": pl.UInt32, "age": pl.UInt8})
HISTORY = History(10, SALES.lazy(), ARTICLES.lazy(), CUSTOMERS.lazy(), frozenset({"age", "colour"}))
KEYED = pl.DataFrame({"customer": [0], "article": [1]}, schema={"customer": pl.UInt32, "article": pl.UInt16})
MADE = KEYED.with_columns(x=pl.lit(0.5, pl.Float32), y=pl.lit(1, pl.Float64))
PAIR, OWN = 4 + 2, 4 + 8


@pytest.mark.parametrize(
    ("needs", "known"),
    [
        ([Needs()], 0),
        ([Needs({"day", "article"}, None)], 3 * (4 + 2)),
        ([Needs({"day", "article"}, 5)], 2 * (4 + 2)),
        ([Needs({"day"}, 1), Needs({"article"}, 5)], 1 * 4 + 2 * 2),  # each as far back as it is looked at
        ([Needs({"day"}, 1), Needs({"day", "article"}, 5)], 2 * (4 + 2)),
        ([Needs({"day"}, 1), Needs({"day"}, None)], 3 * 4),
        ([Needs(articles={"colour"})], 2 * (2 + 1)),
        ([Needs(articles={"colour"}, customers={"age"})], 2 * (2 + 1) + 2 * (4 + 1)),
    ],
)
def test_columns_count_once_as_they_lie_in_memory(needs, known):
    assert column_bytes(HISTORY, needs, KEYED, MADE, CPU) == known + PAIR + OWN


def test_scores_count_where_they_are_read():
    scored = KEYED.with_columns(popular_score=pl.lit(1, pl.Int64))
    assert column_bytes(HISTORY, [Needs()], scored, MADE, CPU) == PAIR + 8 + OWN


def test_a_share_is_of_the_time_at_full_speed():
    seconds = {"plans": [3.0, 2.0, 1.0], "pandas": [4.0, 4.0, 4.0]}
    measured = Measurement("it", 1, "rows", "pandas", seconds, column_bytes=10**9, bandwidth={"plans": 2e9})
    assert measured.share_of_bandwidth("plans") == 0.25
    assert measured.share_of_bandwidth("pandas") is None
    assert Measurement("it", 1, "rows", "pandas", seconds, bandwidth={"plans": 2e9}).share_of_bandwidth("plans") is None


def test_memory_is_as_fast_as_memory_is():
    found = bandwidth(CPU, 2**24)
    assert found is not None
    assert 5e8 < found < 5e13


def test_without_torch_bandwidth_is_unknown(monkeypatch):
    monkeypatch.setattr(extras.importlib.util, "find_spec", lambda name: None)
    assert bandwidth(CPU, 2**24) is None
