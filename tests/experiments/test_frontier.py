"""What variety costs: one ranker's lists, ranked again."""

import json

import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.printed import as_text
from hmgpu.experiments.folds import fold_pipelines
from hmgpu.experiments.frontier import RELEVANCES, frontier_table, measure_frontier
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.diversify import Diversify
from hmgpu.pipeline.exclusions import ListSettings
from hmgpu.pipeline.open import open_pipeline

CPU = Engine("cpu", "tests")


def test_less_relevance_is_more_variety_and_all_of_it_is_the_rankers_list(begun: Config) -> None:
    found, file = measure_frontier(begun, CPU, 1)
    assert [point["relevance"] for point in found["points"]] == list(RELEVANCES)
    within = [point["variety"]["by_fields"] for point in found["points"]]
    assert within == sorted(within)
    assert within[-1] > within[0]
    first = found["points"][0]
    assert first["interval"][0] < first["map_at_12"] < first["interval"][1]
    ((pipeline, week),) = fold_pipelines(begun, CPU, 1)
    metrics = json.loads(pipeline.judge(week).read_text())
    assert first["map_at_12"] == pytest.approx(metrics["map_at_12"]["ranker"])
    assert first["variety"] == {name: pytest.approx(each["ranker"]) for name, each in metrics["variety"].items()}
    # The lists of a run with this setting are those of the frontier.
    again = pipeline.config.model_copy(update={"lists": ListSettings(diversify=Diversify(relevance=0.5))})
    metrics = json.loads(open_pipeline(again, CPU).judge(week).read_text())
    point = found["points"][RELEVANCES.index(0.5)]
    assert point["map_at_12"] == pytest.approx(metrics["map_at_12"]["ranker"])
    assert point["variety"]["gini"] == pytest.approx(metrics["variety"]["gini"]["ranker"])
    assert json.loads(file.read_text())["points"] == json.loads(json.dumps(found["points"]))
    assert "What variety costs" in file.with_suffix(".html").read_text()
    text = as_text([frontier_table(found)], 80)
    assert "0.95" in text
    assert max(map(len, text.splitlines())) <= 80
