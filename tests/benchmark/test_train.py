"""Every device fits the same number of trees on the same examples, and ALS; models that are worse are refused."""

import pytest

from hmgpu.benchmark import train
from hmgpu.benchmark.agreement import DisagreementError
from hmgpu.benchmark.train import Judge, benchmark_train, check_near
from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.parts.features.article_sales import ArticleSales
from hmgpu.parts.rankers.order import Order
from hmgpu.parts.rankers.xgboost import XGBoost
from hmgpu.parts.retrievers.als import ALS
from hmgpu.parts.retrievers.repurchase import Repurchase

CPU = Engine("cpu", "tests")
PARTS = {"retrievers": {"repurchase": Repurchase()}, "features": {"article_sales": ArticleSales()}}


def test_every_fit_has_the_given_number_of_trees(make_subject, monkeypatch):
    fitted = []
    fit = XGBoost.fit
    monkeypatch.setattr(XGBoost, "fit", lambda ranker, *given: fitted.append(ranker) or fit(ranker, *given))
    subject = make_subject(**PARTS, ranker=XGBoost(rounds=500, patience=2, depth=3))
    result = benchmark_train(subject, [CPU], {}, repeats=1, trees=3, weeks=1)
    assert fitted == [XGBoost(rounds=3, patience=3, depth=3)] * 2
    trees, als = result.measurements
    assert trees.rows > 0
    assert trees.seconds.keys() == {"XGBoost, CPU"}
    assert als.rows > 0
    assert [*als.seconds] == ["torch, CPU", "implicit, CPU"]
    assert result.agreement["objective"].startswith("ALS's objective, within 1% of each other; torch, CPU: ")
    assert result.settings["als"] == ALS().settings()
    assert result.agreement["figures"].startswith("validation week, compared with nothing; XGBoost, CPU: NDCG@12 ")


def test_the_gpu_takes_part_where_there_is_one(make_subject, pretended_gpu):
    subject = make_subject(**PARTS, ranker=XGBoost(depth=3))
    result = benchmark_train(subject, [CPU, pretended_gpu], {}, repeats=1, trees=2, weeks=1)
    assert [*result.measurements[0].seconds] == ["XGBoost, GPU", "XGBoost, CPU"]
    assert [*result.measurements[1].seconds] == ["torch, GPU", "torch, CPU", "implicit, CPU"]
    assert result.agreement["figures"].startswith("validation week, within 10% of each other; XGBoost, GPU: ")


def test_a_config_with_another_ranker_is_measured_with_the_default_trees(make_subject):
    result = benchmark_train(make_subject(**PARTS, ranker=Order()), [CPU], {}, repeats=1, trees=1, weeks=1)
    assert result.settings["ranker"] == XGBoost(rounds=1, patience=1).settings()


def test_without_its_packages_als_is_left_out(make_subject, monkeypatch):
    monkeypatch.setattr(train, "missing", lambda packages: ["implicit"])
    result = benchmark_train(make_subject(**PARTS), [CPU], {}, repeats=1, trees=1, weeks=1)
    assert len(result.measurements) == 1
    assert result.absent == {"ALS": "implicit is not installed: pip install 'hmgpu[models]'"}


def test_nothing_to_fit_on_is_said(make_subject, monkeypatch):
    monkeypatch.setattr(train.Examples, "with_purchases", lambda examples: iter(()))
    with pytest.raises(DataError, match="take more data"):
        benchmark_train(make_subject(**PARTS), [CPU], {}, repeats=1, trees=1, weeks=1)


def test_a_model_that_ranks_otherwise_is_refused(monkeypatch):
    figures = {"good": {"MAP@12": 0.05}, "about as good": {"MAP@12": 0.047}, "worse": {"MAP@12": 0.04}}
    monkeypatch.setattr(Judge, "_scored", lambda judge, model: figures[model])
    judge = Judge(None, None, CPU)
    judge.check({"GPU": "about as good", "CPU": "good"})
    assert judge.said() == "validation week, within 10% of each other; GPU: MAP@12 0.04700; CPU: MAP@12 0.05000"
    with pytest.raises(DisagreementError, match=r"MAP@12 of GPU and CPU: 0\.04000 and 0\.05000"):
        judge.check({"GPU": "worse", "CPU": "good"})


def test_nothing_is_near_nothing():
    check_near("it", 0.0, 0.0)
    with pytest.raises(DisagreementError):
        check_near("it", float("nan"), 0.1)
