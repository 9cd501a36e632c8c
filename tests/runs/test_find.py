"""A run is found by its folder or by its name, and nothing is created where there is none."""

from pathlib import Path

import pytest

from hmgpu.core.errors import RunError
from hmgpu.runs.find import find_run, folders_of_runs, refuse_without_runs
from hmgpu.runs.publish import promote
from hmgpu.runs.seal import seal


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """RUNS/one, seen from the folder above."""
    folder = tmp_path / "runs" / "one"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    seal(folder)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "manifest.json").write_text("{}")  # a data set has a manifest, too
    monkeypatch.chdir(tmp_path)
    return Path("runs")


@pytest.mark.parametrize("named", ["one", "runs/one", "./runs/one"])
def test_by_its_name_or_its_folder(runs, named):
    assert find_run(Path(named), runs) == Path("runs/one")


def test_from_inside(runs, monkeypatch):
    monkeypatch.chdir(runs / "one")
    assert find_run(Path("."), Path("elsewhere")).name == "one"


def test_the_current_one(runs):
    for named in ("current", "runs/current"):
        with pytest.raises(RunError, match="No run is current in runs"):
            find_run(Path(named), runs)
    promote(runs / "one")
    assert find_run(Path("current"), runs) == find_run(Path("runs/current"), runs) == Path("runs/current")
    (runs / "one").rename("gone")
    with pytest.raises(RunError, match="leads to one, which is gone"):
        find_run(Path("runs/current"), runs)


@pytest.mark.parametrize("named", ["two", "runs/two", "data", "runs", "nowhere/one"])
def test_what_is_not_there_is_named_and_not_created(runs, named, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RunError, match=f"There is no run {named}"):
        find_run(Path(named), runs)
    with pytest.raises(RunError, match="nowhere does not exist"):
        folders_of_runs(Path("nowhere"))
    with pytest.raises(RunError, match=r"manifest\.json is a file"):
        folders_of_runs(Path("data/manifest.json"))
    with pytest.raises(RunError, match="There is no run in data"):
        refuse_without_runs(Path("data"))
    assert sorted(tmp_path.rglob("*")) == before
