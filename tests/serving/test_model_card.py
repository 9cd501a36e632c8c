"""A model card says what the run's own files say, and nothing else."""

import json
import tomllib
from pathlib import Path

import pytest

from hmgpu.core.parquet import read_table
from hmgpu.serving.finished_run import FinishedRun
from hmgpu.serving.model_card import LICENSE, model_card

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.fixture(scope="module")
def card(real_run) -> str:
    return model_card(FinishedRun.open(real_run.folder))


def test_it_has_the_figures_of_each_segment_with_intervals_next_to_the_baselines(card, real_run):
    metrics = json.loads((real_run.folder / "metrics.json").read_text())
    heading, _, everybody, *segments = [line for line in card.splitlines() if line.startswith("| ")][:6]
    assert heading == "| customers | last week's best sellers | own past + best sellers | order | ranker |"
    cells = everybody.strip("| ").split(" | ")
    assert cells[0] == f"all ({metrics['customers']})"
    for cell, (method, (low, high)) in zip(cells[1:], metrics["map_at_12_interval"].items(), strict=True):
        assert cell == f"{metrics['map_at_12'][method]:.4f} ({low:.4f} to {high:.4f})"
    for line, (segment, of) in zip(segments, sorted(metrics["segments"].items()), strict=True):
        assert line.startswith(f"| {segment} ({of['customers']}) | ")
        assert f"| {of['map_at_12']['ranker']:.4f} (" in line


def test_it_says_what_it_was_made_from_and_with(card, real_run):
    manifest = json.loads((real_run.folder / "manifest.json").read_text())
    config, weeks = real_run.pipeline.config, real_run.pipeline.weeks
    customers = read_table(real_run.folder / "steps" / "submit" / "recommendations.parquet").height
    for said in (
        f"# Model card: {real_run.folder.name}",
        f"12 articles for each of {customers:,} customers",
        ", ".join(config.retrievers),
        "Ranker: `xgboost`",
        f"Last day of the data: {manifest['last_day']}.",
        f"Trained on 1 week, the first of which begins on {weeks.training[0]}; stopped and evaluated on the week that "
        f"begins on {weeks.validation}.",
        f"`{manifest['data']}`",
        f"Seed: {config.seed}. Engine: cpu.",
        f"xgboost {manifest['versions']['xgboost']}",
    ):
        assert said in card
    headings = [line for line in card.splitlines() if line.startswith("## ")]
    assert headings == [
        f"## {name}" for name in ("What it is", "Data", "Figures", "What it isn't for", "Limits", "Made with")
    ]


def test_limits_are_what_the_figures_show(card, real_run):
    metrics = json.loads((real_run.folder / "metrics.json").read_text())
    for segment, of in metrics["segments"].items():
        best = max(of["map_at_12"][name] for name in ("best_sellers", "own_past"))
        behind = of["map_at_12"]["ranker"] < best
        assert (f"For {segment} customers ({of['customers']}) it is behind" in card) == behind
    never = metrics["ages"]["never sold"]
    assert f"Of articles never sold before the week, bought {never['bought']} times, its MAP@12 is 0.0000." in card


def test_a_run_that_was_not_evaluated_says_so(make_run):
    card = model_card(FinishedRun.open(make_run()))
    assert "The run was not evaluated" in card
    assert "MAP@" not in card
    assert "12 articles for each of 40 customers, of 30 articles" in card


def test_the_license_is_that_of_the_package():
    assert tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["license"] == LICENSE
