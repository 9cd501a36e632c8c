"""Figures by groups, of calibration and of variety are drawn where a run has them."""

from hmgpu.evaluation.report.evaluated import Evaluated
from hmgpu.evaluation.report.groups import calibration, groups, variety
from hmgpu.evaluation.report.run import report_page


def test_each_grouping_has_its_dots_and_its_table(grouped: Evaluated) -> None:
    purchases, table, departments, of_departments = groups(grouped.metrics).blocks
    assert [row.name for row in purchases.rows] == ["0", "1–4", "5–19", "20+"]  # type: ignore[attr-defined]
    assert table.headings == ["group", "customers", "popular", "order", "ranker"]  # type: ignore[attr-defined]
    assert table.rows[0] == ["0", "2", "0.01000", "0.02000", "0.03000"]  # type: ignore[attr-defined]
    assert [row.name for row in departments.rows] == ["Knitwear", "Jersey"]  # type: ignore[attr-defined]
    assert of_departments.headings[:4] == ["group", "customers", "bought", "articles"]  # type: ignore[attr-defined]


def test_lift_captured_purchases_and_places_are_curves(grouped: Evaluated) -> None:
    section = calibration(grouped.metrics)
    lift, captured, table, places = section.blocks
    assert (lift.places, lift.series) == (["50 %", "100 %"], {"lift": [1.6, 0.4]})  # type: ignore[attr-defined]
    assert captured.series == {"captured": [0.8, 1.0]}  # type: ignore[attr-defined]
    assert table.rows[1] == ["100 %", "50", "-0.500", "0.50 %", "0.40"]  # type: ignore[attr-defined]
    assert (list(places.series), len(places.places)) == (["ranker", "order", "popular"], 12)  # type: ignore[attr-defined]
    assert "in 2 bins" in section.lead


def test_variety_has_a_row_a_method(grouped: Evaluated) -> None:
    (table,) = variety(grouped.metrics).blocks
    assert table.headings == ["method", "novelty", "tail coverage"]  # type: ignore[attr-defined]
    assert table.rows[-1] == ["ranker", "0.030", "0.050"]  # type: ignore[attr-defined]


def test_pages_of_older_figures_do_without(evaluated: Evaluated, grouped: Evaluated) -> None:
    for part in (groups, calibration, variety):
        assert part(evaluated.metrics).blocks == []
    page = report_page(grouped)
    assert all(f'<section id="{name}">' in page for name in ("groups", "calibration", "variety"))
