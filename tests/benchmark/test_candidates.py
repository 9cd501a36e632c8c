"""Retrievers are measured one by one, the rules of co-purchase in every way; what differs is refused."""

import polars as pl
import pytest

from hmgpu.benchmark import candidates
from hmgpu.benchmark.agreement import DisagreementError
from hmgpu.benchmark.candidates import benchmark_candidates, buyers, propose
from hmgpu.benchmark.rivals.sparse_copurchase import sparse_rules
from hmgpu.core.engine import Engine
from hmgpu.parts.retrievers.copurchase import CoPurchase
from hmgpu.parts.retrievers.popular import Popular

CPU = Engine("cpu", "tests")


def test_buyers_are_asked_and_answered(make_subject):
    subject = make_subject()
    asked = buyers(subject, CPU)
    sold = subject.store.sold_in(subject.store.last_complete_week).collect()
    assert asked["customer"].to_list() == sorted(set(sold["customer"]))
    answered = propose(Popular(n=3), subject.history, asked, CPU)
    assert answered.height == 3 * asked.height


def test_the_gpu_takes_part_where_there_is_one(make_subject, pretended_gpu):
    result = benchmark_candidates(make_subject(), [CPU, pretended_gpu], {}, repeats=1)
    popular, rules, _ = result.measurements
    assert [*popular.seconds] == ["cuDF, GPU", "Polars, CPU"]
    products = ["sparse product, SciPy, CPU", "sparse product, CuPy, GPU"]
    assert [*rules.seconds] == [*products, "cuDF, GPU", "Polars, CPU"]
    assert rules.against == "Polars, CPU"
    assert result.agreement["equal"] == "every candidate, rule, score and rank equal"


def test_other_rules_are_refused(make_subject, monkeypatch):
    def careless(*given):
        return sparse_rules(*given).with_columns(score=pl.col("score") + (pl.col("seed") == pl.col("seed").min()))

    subject = make_subject(retrievers={"mine": CoPurchase(per_article=3)})
    result = benchmark_candidates(subject, [CPU], {}, repeats=1)
    assert result.settings["rules"]["per_article"] == 3
    assert "only cpu ran" in result.agreement["equal"]
    monkeypatch.setattr(candidates, "sparse_rules", careless)
    with pytest.raises(
        DisagreementError, match="co-purchase rules: Polars, CPU and sparse product, SciPy, CPU: column"
    ):
        benchmark_candidates(subject, [CPU], {}, repeats=1)
