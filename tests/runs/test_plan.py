"""What a command would do, without doing it."""

from pathlib import Path

import pytest
from kit import files_in

from hmgpu.core.engine import Engine
from hmgpu.core.printed import as_text
from hmgpu.runs.plan import PlannedRun, plan_facts, plan_table
from hmgpu.runs.run import Run

CPU = Engine("cpu", "tests")


def write(folder: Path) -> dict[str, int]:
    (folder / "table").write_text("some text")
    return {"rows": 1}


def steps(run: Run, setting: int) -> None:
    first = run.step("w1/learn/a", {"n": 1}, [], write)
    second = run.step("w1/learn/b", {"n": setting}, [first.digest], write)
    run.step("fit", {}, [second.digest], write)


@pytest.fixture
def done(tmp_path: Path) -> Run:
    run = Run(tmp_path / "runs" / "one", CPU)
    run.folder.mkdir(parents=True)
    steps(run, 1)
    return run


@pytest.mark.parametrize(("setting", "computed"), [(1, []), (2, ["w1/learn/b", "fit"])])
def test_what_depends_on_a_change_is_computed_and_nothing_is_written(done: Run, setting: int, computed: list) -> None:
    before = files_in(done.folder.parent)
    run = PlannedRun(done.folder.with_name("other"), CPU, others=(done,))
    with run.locked():
        steps(run, setting)
    assert [each.name for each in run.planned if not each.reused] == computed
    assert files_in(done.folder.parent) == before
    assert not run.folder.exists()


def test_what_it_took_before_is_the_estimate(done: Run) -> None:
    run = PlannedRun(done.folder.with_name("other"), CPU, others=(done,))
    steps(run, 2)
    facts = plan_facts(run.planned, 12)
    assert facts["stages"] == {"w1/learn": {"compute": 1, "reuse": 1}, "fit": {"compute": 1, "reuse": 0}}
    assert (facts["compute"], facts["reuse"], facts["known"]) == (2, 1, 2)
    assert facts["estimate"]["peak_gib"] > 0
    shown = " ".join(as_text([plan_table(facts)], 80).split())
    assert "as 2 of these 2 steps took in earlier runs" in shown


def test_without_an_earlier_run_there_is_no_estimate(tmp_path: Path) -> None:
    run = PlannedRun(tmp_path / "runs" / "one", CPU)
    steps(run, 1)
    assert plan_facts(run.planned, 12)["estimate"] is None
    assert "no earlier run to estimate from" in " ".join(as_text([plan_table(plan_facts(run.planned, 12))], 80).split())
