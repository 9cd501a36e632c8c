"""Families are measured on the same candidates and give the same columns; otherwise nothing is reported."""

import pytest

from hmgpu.benchmark import features
from hmgpu.benchmark.agreement import DisagreementError
from hmgpu.benchmark.features import benchmark_features
from hmgpu.benchmark.rivals import pandas_features
from hmgpu.core.engine import Engine
from hmgpu.parts.features.article_price import ArticlePrice
from hmgpu.parts.features.encoded import Encoded
from hmgpu.parts.features.retriever_scores import RetrieverScores
from hmgpu.parts.retrievers.popular import Popular
from hmgpu.parts.retrievers.two_tower import TwoTower

CPU = Engine("cpu", "tests")
FEW = {"price": ArticlePrice(), "retrievers": RetrieverScores()}


@pytest.fixture(autouse=True)
def known_bandwidth(monkeypatch):
    """The bandwidth of a memory that moves 1 MB a second: measuring a real one takes a gigabyte."""
    monkeypatch.setattr(features, "bandwidth", lambda engine: 1e6)


def test_families_one_by_one_and_all_of_them(make_subject):
    parts = {"popular": Popular(n=7), "two_tower": TwoTower()}
    subject = make_subject(retrievers=parts, features={**FEW, "encoded": Encoded()})
    result = benchmark_features([subject], [CPU], {}, repeats=1)
    assert [each.what for each in result.measurements] == ["price", "retrievers", "all families"]
    assert {each.against for each in result.measurements} == {"pandas"}
    assert all(
        each.seconds.keys() == {"Polars, CPU", "DuckDB", "pandas, tuned", "pandas"} for each in result.measurements
    )
    assert result.settings["left_out"] == ["retrievers.two_tower", "features.encoded"]
    (data,) = result.data["sets"]
    assert data["transactions_before_cutoff"] == subject.history.transactions.collect().height
    week = subject.store.sold_in(subject.store.last_complete_week).collect()
    assert data["candidates"] == 7 * week["customer"].n_unique()
    shares = [each.share_of_bandwidth("Polars, CPU") for each in result.measurements]
    # At least the candidates' keys, and at most forty times as much, with eight bytes of each transaction added.
    fewest = data["candidates"] * 8 / 1e6
    for share, each in zip(shares, result.measurements, strict=True):
        (seconds,) = each.seconds["Polars, CPU"]
        assert fewest < share * seconds < 40 * (fewest + data["transactions_before_cutoff"] * 8 / 1e6)
    assert all(each.share_of_bandwidth("pandas") is None for each in result.measurements)
    memory = [each.memory_mib for each in result.measurements]
    assert memory[:2] == [{}, {}]
    assert memory[2].keys() == {"Polars, CPU", "DuckDB", "pandas, tuned", "pandas"}
    assert all(0 < mib < 500 for mib in memory[2].values())


def test_the_gpu_takes_part_where_there_is_one(make_subject, pretended_gpu):
    subject = make_subject(features=FEW)
    result = benchmark_features([subject], [CPU, pretended_gpu], {}, repeats=1, memory=False)
    assert all(
        [*each.seconds] == ["Polars, CPU", "cuDF, GPU", "DuckDB", "pandas, tuned", "pandas"]
        for each in result.measurements
    )
    assert "Polars, CPU and cuDF, GPU at most 0.0e+00 apart" in result.agreement["described"]


def test_another_value_is_refused(make_subject, monkeypatch):
    right = pandas_features.article_price

    def wrong(part, known):
        table = right(part, known)
        return table.assign(article_price=table["article_price"] + 1)

    monkeypatch.setattr(pandas_features, "article_price", wrong)
    with pytest.raises(
        DisagreementError, match="transactions: Polars, CPU and pandas, tuned: column 'article_price' differs"
    ):
        benchmark_features([make_subject(features=FEW)], [CPU], {}, repeats=1, memory=False)


def test_another_column_is_refused(make_subject, monkeypatch):
    monkeypatch.setattr(pandas_features, "retrievers", lambda pairs: pairs[["popular_score"]].add_suffix("_part"))
    with pytest.raises(DisagreementError, match=r"columns differ: \['popular_score_part', 'popular_score_share'\]"):
        benchmark_features([make_subject(features=FEW)], [CPU], {}, repeats=1, memory=False)


def test_a_family_that_nobody_wrote_with_pandas_is_left_out(make_subject, monkeypatch):
    monkeypatch.setattr(features, "WRITTEN", (RetrieverScores,))
    result = benchmark_features([make_subject(features=FEW)], [CPU], {}, repeats=1, memory=False)
    assert [each.what for each in result.measurements] == ["retrievers", "all families"]
    assert result.settings["left_out"] == ["features.price"]
