"""What parts add, on weeks worked by hand."""

import polars as pl
import pytest

from hmgpu.core.printed import as_text
from hmgpu.evaluation.contributions import Ablation, Scored, contribution_table, contributions


def scored(precisions: dict[int, float], recall: float = 0.0, candidates: float = 9.0, week: str = "w1") -> Scored:
    merged = {"recall_at_100": recall / 2, "recall": recall, "candidates_a_customer": candidates}
    metrics = {"week": week, "map_at_12": {}, "customers": len(precisions), "retrievers": {"merged": merged}}
    return Scored(metrics, pl.DataFrame({"customer": precisions.keys(), "ranker": precisions.values()}))


FULL = scored({1: 0.5, 2: 0.5, 3: 0.2, 4: 0.0}, recall=0.4)
LUCKY = scored({1: 0.5, 2: 0.5, 3: 0.2, 4: 0.4}, recall=0.4)
HALF = ("candidates", "x0.5")
CHANGED = {
    ("retrievers", "shared"): scored({1: 0.4, 2: 0.4, 3: 0.1, 4: -0.1}, recall=0.3, candidates=5.0),
    ("features", "shared"): scored({1: 0.5, 2: 0.5, 3: 0.2, 4: 0.8}),
    ("features", "idle"): scored({1: 0.5, 2: 0.5, 3: 0.2, 4: 0.0}),
    HALF: scored({1: 0.5, 2: 0.5, 3: 0.2, 4: 0.4}, recall=0.2, candidates=4.5),
    ("negatives", "5"): scored({1: 0.4, 2: 0.4, 3: 0.1, 4: -0.1}),
}


def test_parts_by_hand():
    found = contributions([Ablation(FULL, LUCKY, CHANGED, {("features", "vital"): "because"})])
    assert found["weeks"] == ["w1"]
    assert found["full"] == {
        "customers": 4,
        "map_at_12": pytest.approx(0.3),
        "recall_at_100": pytest.approx(0.2),
        "recall": pytest.approx(0.4),
        "candidates_a_customer": 9.0,
    }
    # One of four gains .4 by luck.
    luck = found["reseeded"]
    assert (luck["map_at_12"], luck["adds"], luck["high"]) == (pytest.approx(0.4), pytest.approx(-0.1), 0)
    helps, idle, harms, vital = found["parts"]
    # Everybody gains 0.1 by the retriever, so every draw does; by the feature one of four loses 0.8.
    assert helps == {"part": "shared", "section": "retrievers", "candidates_a_customer": 5.0} | {
        key: pytest.approx(value)
        for key, value in {"map_at_12": 0.2, "adds": 0.1, "low": 0.1, "high": 0.1}.items()
        | {"adds_recall_at_100": 0.05, "adds_recall": 0.1}.items()
    }
    assert (idle["part"], idle["adds"], idle["low"], idle["high"]) == ("idle", 0, 0, 0)
    assert (harms["part"], harms["section"]) == ("shared", "features")
    assert (harms["adds"], harms["high"]) == (pytest.approx(-0.2), 0)
    # Settings stay in their order, and only those that change candidates have something to say of recall.
    half, five = found["settings"]
    assert half == {"value": "x0.5", "section": "candidates", "candidates_a_customer": 4.5} | {
        key: pytest.approx(value, abs=1e-12)
        for key, value in {"map_at_12": 0.4, "adds": -0.1, "low": half["low"], "high": 0}.items()
        | {"adds_recall_at_100": 0.1, "adds_recall": 0.2}.items()
    }
    assert five == {"value": "5", "section": "negatives"} | {
        key: pytest.approx(value) for key, value in {"map_at_12": 0.2, "adds": 0.1, "low": 0.1, "high": 0.1}.items()
    }
    assert vital == {"part": "vital", "section": "features", "impossible": "because"}


def test_weeks_are_pooled_by_their_buyers():
    later = scored({1: 0.9, 7: 0.3}, recall=1.0, week="w2")
    worse = scored({1: 0.3, 7: 0.3}, recall=0.7, week="w2")
    part = ("retrievers", "shared")
    found = contributions([Ablation(FULL, LUCKY, {part: CHANGED[part]}, {}), Ablation(later, later, {part: worse}, {})])
    assert found["weeks"] == ["w1", "w2"]
    assert found["full"]["customers"] == 6
    assert found["full"]["map_at_12"] == pytest.approx((4 * 0.3 + 2 * 0.6) / 6)
    (row,) = found["parts"]
    assert row["adds"] == pytest.approx((4 * 0.1 + 0.6) / 6)
    assert row["adds_recall"] == pytest.approx((4 * 0.1 + 2 * 0.3) / 6)
    # Customer 1 gains .7 in two weeks, the others .1 or nothing in one: no draw can be outside of what one gains.
    assert 0 <= row["low"] < row["adds"] < row["high"] <= 0.35


def test_a_part_that_one_week_can_do_without_and_another_not_is_needed():
    part = ("retrievers", "shared")
    found = contributions(
        [Ablation(FULL, LUCKY, {part: CHANGED[part]}, {}), Ablation(FULL, LUCKY, {}, {part: "because"})]
    )
    assert found["parts"] == [{"part": "shared", "section": "retrievers", "impossible": "because"}]


def test_the_table_says_it_in_words_that_fit_a_terminal():
    found = contributions([Ablation(FULL, LUCKY, CHANGED, {("features", "vital"): "because"})])
    lines = as_text([contribution_table(found)], 80).splitlines()
    rows = [line.split() for line in lines]
    assert next(row for row in rows if "nothing" in row)[:2] == ["nothing", "0.30000"]
    assert ["the", "seed", "0.40000", "-0.10000", "-0.30000"] in rows
    at = rows.index(["without", "0.20000", "+0.10000", "+0.10000", "+0.0500", "+0.1000", "5.0"])
    assert rows[at + 1] == ["retrievers.s", "+0.10000"]  # and the rest of its name
    parts = [row[0] for row in rows if row and row[0].startswith("features.")]
    assert [part[:12] for part in parts] == ["features.idl", "features.sha", "features.vit"]
    assert [row[0] for row in rows if row and row[0] in ("candidates", "negatives")] == ["candidates", "negatives"]
    assert any("impossible" in row for row in rows)
