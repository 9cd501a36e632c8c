"""The call that does all that needs a GPU, with programs in the places of Python and of NVIDIA's tool."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "gpu_acceptance.sh"
BENCHMARKS = ("features", "candidates", "train", "two-tower", "pipeline")
PYTHON = """#!/usr/bin/env bash
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


def call(bench: Path, *arguments: str, failing: str = "") -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """How it ended, and what Python was called with."""
    calls = bench / "calls"
    calls.write_text("")
    given = {"PATH": f"{bench}:/usr/bin:/bin", "PYTHON": str(bench / "python"), "CALLS": str(calls)}
    environment = {**os.environ, **given, "FAILING": failing}
    command = [str(SCRIPT), *arguments, str(bench / "out")]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    return ended, calls.read_text().splitlines()


def test_every_step_is_done_and_written_down(bench):
    ended, calls = call(bench, "--scale", "0.5")
    assert ended.returncode == 0, ended.stderr
    verbs = ["import matplotlib", "doctor", "-m gpu", "demo --engine cpu", "demo --engine gpu", "compare"]
    verbs += [f"benchmark {name} --scale 0.5" for name in BENCHMARKS]
    assert len(calls) == len(verbs)
    for verb, said in zip(verbs, calls, strict=True):
        assert verb in said
    report = (bench / "out/README.md").read_text()
    assert "NVIDIA H200, 143771 MiB" in report
    assert all("--plot" in said for said in calls if "benchmark" in said)
    steps = ("doctor", "tests", "demo", *BENCHMARKS)
    rows = [line for line in report.splitlines() if line.startswith(tuple(f"| {step} |" for step in steps))]
    assert len(rows) == len(steps)
    assert all("| ok |" in row for row in rows)
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


def test_without_a_gpu_it_says_so_and_does_nothing(bench):
    (bench / "nvidia-smi").write_text("#!/usr/bin/env bash\necho 'no driver' >&2\nexit 9\n")
    ended, calls = call(bench)
    assert ended.returncode == 2
    assert "no NVIDIA GPU" in ended.stderr
    assert not calls
    assert not (bench / "out").exists()


@pytest.mark.parametrize("arguments", [("--scale",), ("--nonsense", "1")])
def test_what_it_does_not_know_changes_nothing(bench, arguments):
    given = {**os.environ, "PATH": f"{bench}:/usr/bin:/bin"}
    ended = subprocess.run([str(SCRIPT), *arguments], env=given, capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0
    assert ended.stderr
