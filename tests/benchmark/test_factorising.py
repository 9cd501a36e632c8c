"""ALS is fitted with the config's settings, its objective is that of the paper, and other results are refused."""

import re

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from hmgpu.benchmark.agreement import DisagreementError
from hmgpu.benchmark.factorising import benchmark_als, objective
from hmgpu.core.engine import Engine
from hmgpu.parts.models.factors import als
from hmgpu.parts.models.factors.als import Factorisation
from hmgpu.parts.retrievers.als import ALS
from hmgpu.parts.retrievers.popular import Popular

CPU = Engine("cpu", "tests")


def test_the_objective_is_the_sum_over_all_cells():
    draw = np.random.default_rng(1)
    weights = (draw.random((6, 4)) * (draw.random((6, 4)) < 0.5)).astype(np.float32)
    customers, articles = (draw.normal(size=(count, 3)).astype(np.float32) for count in weights.shape)
    expected = 0.5 * float((customers.astype(float) ** 2).sum() + (articles.astype(float) ** 2).sum())
    for customer, article in np.ndindex(6, 4):
        near = float(customers[customer].astype(float) @ articles[article].astype(float))
        weight = float(weights[customer, article])
        expected += 7 * weight * (1 - near) ** 2 if weight else near**2
    found = objective(csr_matrix(weights), Factorisation(3, 7.0, 0.5, 1, 1), customers, articles)
    assert found == pytest.approx(expected)


def test_the_configs_settings_count(make_subject):
    part = ALS(factors=3, iterations=1, days=30)
    subject = make_subject(retrievers={"popular": Popular(), "near": part})
    measured, said, fitted = benchmark_als(subject, [CPU], repeats=1)
    assert fitted == part
    assert measured.rows == CPU.collect(subject.history.last(30).select("customer", "article").unique()).height
    torch, implicit = (float(number) for number in re.findall(r"CPU: ([\d.e+]+)", said))
    assert torch == pytest.approx(implicit, rel=1e-4)


def test_another_result_is_refused(make_subject, monkeypatch):
    fit = als.factorised
    monkeypatch.setattr(als, "factorised", lambda *given: 0.5 * fit(*given))
    with pytest.raises(DisagreementError, match=r"further apart than 1%: torch, CPU: .*, implicit, CPU: "):
        benchmark_als(make_subject(), [CPU], repeats=1)
