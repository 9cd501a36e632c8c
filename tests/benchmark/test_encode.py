"""pandas encodes as the workflows do, by hand and on synthetic data; what differs is refused."""

import numpy as np
import polars as pl
import pytest

from hmgpu.benchmark import encoding
from hmgpu.benchmark.agreement import DisagreementError
from hmgpu.benchmark.encode import EncodingAgreement
from hmgpu.benchmark.rivals import pandas_encoding
from hmgpu.benchmark.rivals.pandas_encoding import PandasEncoding, pandas_sessions
from hmgpu.core.engine import Engine
from hmgpu.parts.models.encode.columns import EncodedColumn

CPU = Engine("cpu", "tests")


def encoded(column: EncodedColumn, **values) -> list:
    rows = pl.DataFrame({"key": range(len(next(iter(values.values())))), **values})
    return PandasEncoding([column]).fit(rows).encode(rows)[column.name].to_list()


def test_codes_are_by_frequency_then_value_and_rare_ones_are_unknown():
    column = EncodedColumn("colour", "article", "category", least=2)
    assert encoded(column, colour=[9, 5, 9, 4, 5, 9, 4, 1]) == [3, 5, 3, 4, 5, 3, 4, 2]


def test_a_missing_number_is_the_median():
    numbers = encoded(EncodedColumn("age", "customer", "number"), age=[1.0, 2.0, None, 6.0])
    whole = np.array([1.0, 2.0, 2.0, 6.0])
    assert numbers == pytest.approx((whole - whole.mean()) / whole.std(ddof=1))


def test_amounts_are_logarithms():
    logs = np.log([1.0, 2.0, 4.0])
    numbers = encoded(EncodedColumn("units", "customer", "amount"), units=[0.0, 1.0, 3.0])
    assert numbers == pytest.approx((logs - logs.mean()) / logs.std(ddof=1))


def test_lists_hold_the_latest_first():
    rows = pl.DataFrame({"customer": [1, 1, 1, 1, 2], "rank": [4, 1, 2, 3, 1], "key": [40, 10, 20, 30, 20]})
    articles = pl.DataFrame({"key": [10, 20, 30, 40], "colour": [1, 2, 3, 4]})
    lists = pandas_sessions(rows, articles, ["colour"])
    assert lists["key"].to_list() == [1, 2]
    assert lists["recent_colour"].to_list() == [[1, 2, 3, 4], [2]]
    assert lists["latest_colour"].to_list() == [[1, 2, 3], [2]]


@pytest.fixture(scope="module")
def ways(make_subject, tmp_path_factory):
    """Workflows and pandas, fitted on the same rows."""
    folder = tmp_path_factory.mktemp("ways")
    history = make_subject().history
    inputs = encoding.EncodingInputs(history, 91, 5, folder)
    return encoding.Workflows(inputs, CPU), encoding.PandasEncoders(inputs)


def compare(ways, call) -> None:
    EncodingAgreement().check("it", {way.name: call(way) for way in ways})


def test_other_codes_are_refused(ways, monkeypatch):
    compare(ways, lambda way: way.encode(["article"]))
    monkeypatch.setattr(pandas_encoding, "FIRST", 4)
    ways[1].fit(["article"])
    with pytest.raises(DisagreementError, match="it: NVTabular, CPU and pandas: column 'article' differs at key"):
        compare(ways, lambda way: way.encode(["article"]))


def test_other_numbers_are_refused(ways, monkeypatch):
    ways[1].sides["customer"].means["age"] += 0.1
    with pytest.raises(DisagreementError, match="it: NVTabular, CPU and pandas: column 'age' differs by"):
        compare(ways, lambda way: way.encode(["customer"]))


def test_other_lists_are_refused(ways, monkeypatch):
    def reversed_lists(*given):
        return pandas_sessions(*given).with_columns(pl.col("^recent_.*$").list.reverse())

    monkeypatch.setattr(encoding, "pandas_sessions", reversed_lists)
    with pytest.raises(DisagreementError, match="column 'recent_article' differs at key"):
        compare(ways, lambda way: way.sessions())
