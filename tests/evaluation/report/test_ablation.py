"""What a page shows of an ablation."""

import pytest

from hmgpu.evaluation.report.ablation import ablation, ablation_page

FULL = {"customers": 1_234, "map_at_12": 0.03, "recall": 0.2, "recall_at_100": 0.1, "candidates_a_customer": 50.0}


def row(name: str, section: str, adds: float, low: float, high: float, **more: float) -> dict:
    key = "part" if section in ("retrievers", "features") else "value"
    return {key: name, "section": section, "map_at_12": 0.03 - adds, "adds": adds, "low": low, "high": high, **more}


@pytest.fixture
def found() -> dict:
    recalls = {"adds_recall_at_100": 0.02, "adds_recall": 0.0312, "candidates_a_customer": 40.0}
    reseeded = {"map_at_12": 0.0301, "adds": -0.0001, "low": -0.0004, "high": 0.0002}
    parts = [
        row("popular", "retrievers", 0.005, 0.004, 0.006, **recalls),
        row("popular", "features", 0.0001, -0.001, 0.0012),
        {"part": "repurchase", "section": "retrievers", "impossible": "it is the only one"},
    ]
    return {"weeks": ["2020-08-26"], "full": FULL, "reseeded": reseeded, "parts": parts, "settings": []}


def test_parts_stand_in_the_order_of_the_file_below_the_full_line(found):
    dots, parts, refused = ablation(found).blocks
    assert dots.rows[0].strong
    assert parts.rows == [
        ["the full pipeline", "0.03000", "", "", "10.0 %", "20.0 %", "50.0"],
        ["another seed", "0.03010", "-0.00010", "-0.00040 to +0.00020", "", "", ""],
        ["retrievers.popular", "0.02500", "+0.00500", "+0.00400 to +0.00600", "+2.00 %", "+3.12 %", "40.0"],
        ["features.popular", "0.02990", "+0.00010", "-0.00100 to +0.00120", "", "", ""],
    ]
    assert parts.strong == {"retrievers.popular"}  # the other's interval holds 0
    assert refused.rows == [["retrievers.repurchase", "it is the only one"]]
    assert "1,234 customers" in ablation(found).lead


def test_settings_have_a_table_of_their_own(found):
    found["parts"] = []
    found["settings"] = [row("4", "weeks", -0.001, -0.002, -0.0005)]
    _, settings = ablation(found).blocks
    assert settings.rows[-1][:3] == ["weeks: 4", "0.03100", "-0.00100"]
    assert settings.strong == {"weeks: 4"}


def test_an_ablation_of_several_weeks_is_a_page(found):
    page = ablation_page(found | {"weeks": ["2020-08-19", "2020-08-26"]})
    assert "2020-08-19, 2020-08-26" in page
    assert '<th scope="row" class="short">features.popular</th>' in page
