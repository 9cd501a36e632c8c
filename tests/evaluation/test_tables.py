"""A week's figures as tables: the same characters at every width, and no number that is cut."""

import json
import re
from pathlib import Path

import pytest

from hmgpu.core.printed import as_text
from hmgpu.evaluation.tables import age_table, detail_tables, main_table

GOLDEN = Path(__file__).with_name("golden")
DEMO = Path(__file__).parents[2] / "docs" / "results" / "demo-metrics.json"
METRICS = json.loads(DEMO.read_text(encoding="utf-8"))["metrics"]


def tables(width: int) -> str:
    return as_text([main_table(METRICS), *detail_tables(METRICS)], width) + "\n"


@pytest.mark.parametrize("width", [80, 120])
def test_the_tables_are_the_golden_ones(width: int) -> None:
    """Where they should change: `python tests/evaluation/test_tables.py` writes them."""
    assert tables(width) == (GOLDEN / f"tables-{width}.txt").read_text(encoding="utf-8")


def test_the_main_table_takes_76_columns_at_most() -> None:
    assert max(map(len, as_text([main_table(METRICS)], 140).splitlines())) <= 76


@pytest.mark.parametrize("width", [80, 100])
def test_no_number_is_cut(width: int) -> None:
    def numbers(text: str) -> list[str]:
        return sorted(re.findall(r"\d+[.,]\d+", text))

    assert "…" not in tables(width)
    assert numbers(tables(width)) == numbers(tables(200))
    assert max(map(len, tables(width).splitlines())) <= width


def test_ages_have_a_column_each() -> None:
    found = {"never sold": 7, "under 1 week": 1234}
    ages = {age: {"bought": bought, "map_at_12": METRICS["map_at_12"]} for age, bought in found.items()}
    recalls = {"merged": {"ages": {"never sold": {"recall": 0.25}, "under 1 week": {"recall": 0.5}}}}
    text = as_text([age_table({**METRICS, "ages": ages, "retrievers": recalls})], 80)
    assert re.search(r" under\n +never sold +1 week\n.*\(7\) +\(1,234\)", text)
    ranker = f"{METRICS['map_at_12']['ranker']:.5f}"
    assert re.search(rf"ranker +{ranker} +{ranker}", text)
    assert re.search(r"recall +0.2500 +0.5000", text)


def test_variety_has_a_table_among_the_details() -> None:
    measures = ("novelty", "by_fields", "by_pictures", "by_text", "popular", "gini", "tail_coverage")
    methods = dict.fromkeys(METRICS["map_at_12"], 0.25) | {"ranker": 12.5}
    text = as_text(detail_tables({**METRICS, "variety": dict.fromkeys(measures, methods)}), 80)
    assert re.search(r"novelty +fields +pictures +text +popular +gini +coverage\n", text)
    assert re.search(r"ranker( +12\.500){7}", text)
    assert "…" not in text
    older = {name: METRICS[name] for name in METRICS if name != "variety"}
    assert len(detail_tables(older)) == len(detail_tables(METRICS)) - 1


if __name__ == "__main__":
    for columns in (80, 120):
        (GOLDEN / f"tables-{columns}.txt").write_text(tables(columns), encoding="utf-8")
