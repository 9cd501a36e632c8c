"""The page of all runs: the best of each week first, and only figures that are what the run wrote."""

import json
import re
from pathlib import Path

import pytest

from hmgpu.core.files import sha256, write_json
from hmgpu.runs.index import INDEX, index_page, write_index
from hmgpu.runs.publish import promote
from hmgpu.runs.seal import seal

WEEK = "2020-09-16"


def add(runs: Path, name: str, value: float, week: str = WEEK, finished: bool = True, place: str = "") -> Path:
    """Write a run with an evaluation, sealed if it is `finished`; return its folder."""
    run = runs / name
    step = run / "steps" / week / "evaluate"
    step.mkdir(parents=True)
    write_json(run / "manifest.json", {"last_day": "2020-09-22", "config": "/home/me/shop.yaml"})
    (run / "config.yaml").write_text("weeks:\n  train: 4\n")
    figures = {"ranker": value, "own_past": 0.02}
    spans = {"ranker": [value - 0.01, value + 0.01]}
    write_json(
        step / "metrics.json", {"week": week, "customers": 1234, "map_at_12": figures, "map_at_12_interval": spans}
    )
    listed = {"files": {"metrics.json": sha256(step / "metrics.json")}, "step": "x", "seconds": 90, "peak_gib": 1}
    write_json(step / "manifest.json", listed)
    if place != "fold":
        (run / "metrics.json").symlink_to(step / "metrics.json")
        (run / "report.html").write_text("")
    if finished:
        (run / "submission.csv").write_text("")
        seal(run)
    return run


def shown(page: str) -> list[str]:
    """The runs of the tables, in their order."""
    return [
        name
        for table in page.split("<thead>")[1:]
        for name in re.findall(r'<th scope="row".*?>([a-z]+)</a>', table.partition("</tbody>")[0])
    ]


def test_the_best_run_of_the_newest_week_is_first(tmp_path: Path) -> None:
    add(tmp_path, "old", 0.09, "2020-09-09")
    add(tmp_path, "good", 0.03)
    promote(add(tmp_path, "better", 0.04))
    page = index_page(tmp_path)
    assert shown(page) == ["better", "good", "old"]
    assert '<a href="./better/report.html">better</a> <span class="badge good">current</span>' in page
    for said in ("0.03000 to 0.05000", ">2.00<", ">1,234<", ">4<", ">1.5<", ">shop.yaml<", './good/submission.csv"'):
        assert said in page, said
    assert "/home/me" not in page
    assert page == index_page(tmp_path)


def test_badges_say_which_run_was_before_which_is_a_fold_and_which_is_not_finished(tmp_path: Path) -> None:
    promote(add(tmp_path, "first", 0.03))
    promote(add(tmp_path, "second", 0.04))
    add(tmp_path, "begun", 0.05, finished=False)
    add(tmp_path, "fold", 0.06, finished=False, place="fold")
    badges = {
        run: re.findall(rf">{run}(?:</a>)? (?:<span class=.badge.*?>([\w ]+)</span>)", index_page(tmp_path))
        for run in ("first", "second", "begun", "fold")
    }
    assert {run: set(said) for run, said in badges.items()} == {
        "first": {"previous"},
        "second": {"current"},
        "begun": {"not finished"},
        "fold": {"fold"},
    }


@pytest.mark.parametrize("finished", [True, False])
def test_figures_that_were_changed_are_not_believed(tmp_path: Path, finished: bool) -> None:
    run = add(tmp_path, "forged", 0.03, finished=finished)
    file = run / "steps" / WEEK / "evaluate" / "metrics.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"map_at_12": {"ranker": 0.9}}))
    page = index_page(tmp_path)
    assert "0.90000" not in page
    assert shown(page.partition('id="changed-since"')[0]) == []
    assert ("is not the file that the run wrote" if finished else "was changed since") in page


def test_a_page_of_somebody_else_stays_and_damage_fails_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / INDEX).write_text("mine")
    write_index(tmp_path)
    assert (tmp_path / INDEX).read_text() == "mine"
    assert "hmgpu did not write it" in caplog.text
    (tmp_path / INDEX).unlink()
    (tmp_path / "promoted.json").write_text("{")
    write_index(tmp_path)
    assert "promoted.json is damaged" in caplog.text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["promoted.json"]


def test_runs_without_an_evaluation_are_counted(tmp_path: Path) -> None:
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "manifest.json").write_text("{}")
    (tmp_path / "begun" / "config.yaml").write_text("")
    write_index(tmp_path)
    assert "1 run without an evaluation is not shown" in (tmp_path / INDEX).read_text()
    write_index(tmp_path)  # over its own page
