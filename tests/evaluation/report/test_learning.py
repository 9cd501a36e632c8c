"""Curve and gains, and what automl tried."""

import json
from dataclasses import replace

from hmgpu.core.html.blocks import Bars, Grid
from hmgpu.core.html.lines import Lines
from hmgpu.evaluation.report.learning import learning


def test_gains_are_shares_by_part_and_by_column(evaluated):
    curve, parts, columns = learning(evaluated).blocks
    assert isinstance(curve, Lines)
    assert curve.series == {"NDCG@50": [0.25, 0.5, 0.375]}
    assert isinstance(parts, Bars)
    assert parts.rows == [
        ("retrievers.repurchase", 0.6, "60.0 %"),
        ("features.article_price", 0.3, "30.0 %"),
        ("other", 0.1, "10.0 %"),
    ]
    assert isinstance(columns, Bars)
    assert [name for name, _, _ in columns.rows] == [
        "repurchase_rank (retrievers.repurchase)",
        "price (features.article_price)",
        "odd",
    ]


def test_what_automl_tried_is_listed_with_the_ensemble_first(evaluated, tmp_path):
    values = {"map_at_12": 0.25, "ndcg_at_50": 0.5}
    tried = [
        {"name": "logistic_1", "settings": {}, "weight": 0.0, **values},
        {"name": "xgboost_1", "settings": {}, "weight": 1.0, "map_at_12": 0.3, "ndcg_at_50": 0.4},
    ]
    record = {"customers": 1200, "weeks": 2, "ensemble": values, "tried": tried, "left_out": {"catboost": "why"}}
    (tmp_path / "then").mkdir()
    (tmp_path / "then" / "automl.json").write_text(json.dumps({"record": record}))
    (grid,) = learning(replace(evaluated, model_files=tmp_path / "then")).blocks
    assert isinstance(grid, Grid)
    assert grid.title.startswith(
        "automl: 2 models, judged on 1,200 lists with a purchase of the last 2 training weeks "
    )
    assert grid.rows == [
        ("ensemble", "0.25000", "0.50000", "1.00"),
        ("xgboost_1", "0.30000", "0.40000", "1.00"),
        ("logistic_1", "0.25000", "0.50000", "0.00"),
        ("catboost", "", "", "left out: why"),
    ]
    assert grid.strong == {"ensemble", "xgboost_1"}
