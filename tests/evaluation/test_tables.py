"""A week's figures as tables."""

import pytest

from hmgpu.core.console import console
from hmgpu.evaluation.tables import method_table, retriever_table

METHODS = ("popular", "repurchase_popular", "order", "ranker")


def by_method(*values: float) -> dict[str, float]:
    return dict(zip(METHODS, values, strict=True))


@pytest.fixture
def metrics() -> dict:
    found = {"recall_at_12": 0.1, "recall_at_100": 0.2, "recall": 0.3, "positive_rate": 0.0123}
    return {
        "week": "2020-08-26",
        "customers": 12_345,
        "map_at_12": by_method(0.00712, 0.02211, 0.02433, 0.03128),
        "ndcg_at_12": by_method(0.01, 0.02, 0.03, 0.04),
        "hit_rate_at_12": by_method(0.05, 0.06, 0.07, 0.08),
        "precision_at_12": by_method(0.011, 0.012, 0.013, 0.014),
        "coverage": by_method(0.001, 0.2, 0.3, 0.4),
        "segments": {
            "active": {"customers": 12_000, "map_at_12": by_method(0.008, 0.023, 0.025, 0.0333)},
            "new": {"customers": 345, "map_at_12": by_method(0.001, 0.001, 0.001, 0.00099)},
        },
        "retrievers": {
            "repurchase": found | {"candidates": 50_000, "candidates_a_customer": 4.05},
            "merged": found | {"candidates": 500_000, "candidates_a_customer": 40.5},
        },
    }


def lines_of(table) -> list[list[str]]:
    """The printed table's lines, each as its cells."""
    with console.capture() as shown:
        console.print(table, width=160)
    return [
        [cell.strip() for cell in line.strip("│┃ ").replace("┃", "│").split("│")] for line in shown.get().splitlines()
    ]


def test_every_retriever_has_its_line(metrics):
    lines = lines_of(retriever_table(metrics))
    assert ["repurchase", "4.0", "0.1000", "0.2000", "0.3000", "0.0123"] in lines
    assert [cells[:2] for cells in lines if len(cells) == 6][-1] == ["merged", "40.5"]
    assert "12,345 customers who bought in week 2020-08-26" in lines[0][0]


def test_every_method_has_its_line_with_every_segment(metrics):
    lines = lines_of(method_table(metrics))
    assert ["ranker", "0.03128", "0.04000", "0.08000", "0.01400", "0.40000", "0.03330", "0.00099"] in lines
    assert ["0.02211", "0.02000", "0.06000", "0.01200", "0.20000", "0.02300", "0.00100"] in [
        cells[1:] for cells in lines
    ]
    assert any("(345)" in cell for cells in lines for cell in cells)
