"""Curve and gains."""

from hmgpu.core.html.blocks import Bars
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
