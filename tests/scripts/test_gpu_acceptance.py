"""The call that does all that needs a GPU, with programs in the places of Python and of NVIDIA's tool."""

import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
SCRIPT = SCRIPTS / "gpu_acceptance.py"
BENCHMARKS = ("features", "candidates", "train", "two-tower", "pipeline")
# It ends no sooner than its watcher has said something: there is a figure for every step on a fast machine too.
PYTHON = """#!/usr/bin/env bash
while find "$OUT" -name '*-gpu.csv' -empty 2>/dev/null | grep -q .; do sleep 0.01; done
printf '%s\\n' "$*" >> "$CALLS"
echo "played: $*"
[[ -z $FAILING || $* != *"$FAILING"* ]]
"""
NVIDIA = """#!/usr/bin/env bash
case $* in
  *-lms*) printf '10, 100\\n30, 300\\n'; exec sleep 60 ;;
  *name,memory*) echo 'NVIDIA H200, 143771 MiB, 580.1' ;;
  *) echo 'NVIDIA H200' ;;
esac
"""


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    for name, text in (("python", PYTHON), ("nvidia-smi", NVIDIA)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return tmp_path


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gpu_acceptance", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


def call(bench: Path, *arguments: str, failing: str = "") -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """How it ended, and what Python was called with."""
    calls = bench / "calls"
    calls.write_text("")
    out = str(bench / "out")
    given = {"PATH": f"{bench}:/usr/bin:/bin", "PYTHON": str(bench / "python"), "CALLS": str(calls), "OUT": out}
    environment = {**os.environ, **given, "FAILING": failing}
    command = [sys.executable, str(SCRIPT), *arguments, out]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    return ended, calls.read_text().splitlines()


def rows_of(report: str) -> list[str]:
    """The names of the steps that the report has a line for."""
    table = [line.split(" | ")[0].lstrip("| ") for line in report.splitlines() if line.startswith("| ")]
    return [name for name in table if name != "step"]


def test_every_step_is_done_and_written_down(bench):
    ended, calls = call(bench, "--scale", "0.5")
    assert ended.returncode == 0, ended.stderr
    verbs = ["import matplotlib", "doctor", "-m gpu", "demo", "demo", "compare"]
    verbs += [f"benchmark {name} --scale 0.5" for name in BENCHMARKS]
    assert len(calls) == len(verbs)
    for verb, said in zip(verbs, calls, strict=True):
        assert verb in said
    assert ["--engine cpu" in calls[3], "--engine gpu" in calls[4]] == [True, True]
    report = (bench / "out/README.md").read_text()
    assert "NVIDIA H200, 143771 MiB" in report
    assert all("--plot" in said for said in calls if "benchmark" in said)
    steps = ["doctor", "tests", "demo", *BENCHMARKS]
    assert rows_of(report) == steps
    assert report.count("| 20 | 300 | ok |") == len(steps)
    assert {f"{step}.log" for step in steps} <= {path.name for path in (bench / "out").iterdir()}


def test_what_fails_stops_nothing_else(bench):
    ended, calls = call(bench, failing="benchmark features")
    assert ended.returncode == 1
    assert any("benchmark pipeline" in said for said in calls)
    report = (bench / "out/README.md").read_text()
    assert "| **failed**, see features.log |" in report
    assert report.count("| ok |") == 7
    assert "played: -m hmgpu.cli benchmark features" in ended.stdout  # the end of its log


def test_engines_are_not_compared_where_one_failed(bench):
    _, calls = call(bench, "--steps", "demo", failing="--engine cpu")
    assert [said for said in calls if "matplotlib" not in said] == [calls[-1]]


def test_without_matplotlib_nothing_is_drawn(bench):
    ended, calls = call(bench, "--steps", "features train", failing="import")
    assert ended.returncode == 0
    assert all("--no-plot" in said for said in calls if "benchmark" in said)


def test_with_minutes_what_tells_most_comes_first(bench, script):
    ended, _ = call(bench, "--minutes", "9")
    assert ended.returncode == 0, ended.stderr
    names = rows_of((bench / "out/README.md").read_text())
    assert names == [step.name for step in script.QUICK]
    assert names[:2] == ["doctor", "plans"]
    assert names[-3:] == ["features-0.1", "features-0.3", "features-1.0"]
    assert all(step.limit and step.limit <= 300 for step in script.QUICK)
    assert sum(step.limit for step in script.QUICK[:-3]) <= 600  # so that a slow machine reaches the first comparison


def test_what_was_not_reached_is_said(bench):
    ended, calls = call(bench, "--minutes", "0.1", "--steps", "doctor demo")
    assert ended.returncode == 1
    assert "Not reached in 0.1 minutes: doctor, demo." in (bench / "out/README.md").read_text()
    assert [said for said in calls if "matplotlib" not in said] == []


def test_a_step_is_stopped_at_its_limit_with_all_that_it_started(script, tmp_path):
    started = time.monotonic()
    with (tmp_path / "log").open("wb") as log:
        assert script.ended(["bash", "-c", "sleep 60 & echo $!; wait"], log, started + 0.5) is None
    assert time.monotonic() - started < 10
    child = (tmp_path / "log").read_text().strip()
    # A killed process is gone, or waits for its parent, as soon as the system comes to it.
    deadline = time.monotonic() + 10
    while (state := state_of(child)) not in ("", "Z"):
        assert time.monotonic() < deadline, f"process {child} is still there: {state}"
        time.sleep(0.02)


def state_of(process: str) -> str:
    """The state of a process by its letter, nothing where there is none."""
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def test_without_a_gpu_it_says_so_and_does_nothing(bench):
    (bench / "nvidia-smi").write_text("#!/usr/bin/env bash\necho 'no driver' >&2\nexit 9\n")
    ended, calls = call(bench)
    assert ended.returncode == 2
    assert "no NVIDIA GPU" in ended.stderr
    assert not calls
    assert not (bench / "out").exists()


def test_a_machine_without_a_gpu_runs_what_it_can(bench, script):
    (bench / "nvidia-smi").unlink()
    ended, calls = call(bench, "--engine", "cpu")
    assert ended.returncode == 0, ended.stderr
    assert rows_of((bench / "out/README.md").read_text()) == [step.name for step in script.QUICK if step.cpu]
    assert not any("-m gpu" in said or "--engine gpu" in said for said in calls)


def test_all_tests_that_it_names_are_there(script):
    named = {word for step in script.QUICK for call in (*step.gpu, *step.cpu) for word in call.split()}
    files = {word for word in named if word.startswith("tests/")}
    assert len(files) > 5
    assert [file for file in sorted(files) if not (SCRIPTS.parent / file).is_file()] == []


@pytest.mark.parametrize("arguments", [("--scale",), ("--nonsense", "1"), ("--steps", "nonsense")])
def test_what_it_does_not_know_changes_nothing(bench, arguments):
    ended, calls = call(bench, *arguments)
    assert ended.returncode != 0
    assert ended.stderr
    assert not calls
