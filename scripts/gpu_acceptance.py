"""All that only an NVIDIA GPU can show, step by step, written down as it goes; `gpu_acceptance.sh` calls it.

    scripts/gpu_acceptance.sh [--minutes M] [--engine gpu|cpu] [--scale S] [--steps "doctor tests …"] [OUT]

Without --minutes the steps of `whole`, at scale S (1.0, the size of H&M's, unless given), with no limit. With it those
of `QUICK`: what tells most comes first, each step has a limit of its own, none is started that the M minutes leave no
time for, and the summary says which were not reached. A step that fails or is stopped stops none of the others; the
exit status says whether all went well.

--engine cpu runs, of `QUICK`, what a machine without a GPU can: it shows that the packages are whole. Without --minutes
it has no limits.

OUT, unless given docs/results/gpu-MODEL-DATE, gets every step's log, the benchmarks' JSON and plots, the GPU's
utilisation and memory over time, and README.md: a line a step. Nothing is installed or fetched. PYTHON names the
interpreter of the steps; any does that finds hmgpu's packages.
"""

import argparse
import contextlib
import datetime
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHON = os.environ.get("PYTHON") or sys.executable
LEAST = 15  # seconds; with less time left a step would only have started
HMGPU, PYTEST = "-m hmgpu.cli", "-m pytest -q -rs -p no:cacheprovider"
TESTS = "tests/parts"
DEMO = f"{HMGPU} demo --set data.raw={{work}}/raw --set data.root={{work}}/data --set runs={{work}}/"
COMPARE = f"{HMGPU} compare {{work}}/cpu/current {{work}}/gpu/current"
BENCHMARK = (
    f"{HMGPU} benchmark {{0}} --scale {{1}} --data {{{{work}}}}/world{{1}} --out {{{{out}}}}/{{2}}.json {{{{plot}}}}"
)


@dataclass(frozen=True)
class Step:
    """Calls of Python one after the other, until one fails."""

    name: str
    limit: float | None
    """Seconds after which it is stopped; None: as long as it takes."""
    gpu: tuple[str, ...]
    cpu: tuple[str, ...] = ()
    """What a machine without a GPU can run of it."""


def benchmark(name: str, scale: str, more: str, as_name: str | None = None) -> str:
    """Return the call of a benchmark on data of its own."""
    return f"{BENCHMARK.format(name, scale, as_name or name)} {more}"


def tests(name: str, limit: float, *files: str) -> Step:
    """Return the step that runs those tests in `files` that need a GPU, or on the CPU the others."""
    called = f"{PYTEST} {' '.join(files)} -m"
    return Step(name, limit, (f"{called} gpu",), (f"{called} not-gpu",))


def features(scale: str, limit: float, cpu: bool = False) -> Step:
    """Return the step that compares the engines on the feature families at one size."""
    name = f"features-{scale}"
    calls = [(benchmark("features", scale, f"--engine {engine} --repeats 3", name),) for engine in ("auto", "cpu")]
    return Step(name, limit, calls[0], calls[1] if cpu else ())


QUICK = (
    Step("doctor", 30, (f"{HMGPU} doctor --engine gpu",), (f"{HMGPU} doctor --engine cpu",)),
    Step("plans", 120, (f"{PYTEST} tests/core/test_engine.py {TESTS}/test_parts.py -m gpu",),
         (f"{PYTEST} tests/core/test_engine.py",)),
    tests("nvtabular", 60, f"{TESTS}/models/encode/test_workflow.py", f"{TESTS}/models/encode/test_merlin_gpu.py"),
    tests("towers", 60, f"{TESTS}/retrievers/test_two_tower.py", f"{TESTS}/models/space/test_topk.py"),
    tests("factors", 45, *(f"{TESTS}/models/factors/test_{model}.py" for model in ("als", "bpr", "skip_gram")),
          f"{TESTS}/models/space/test_clusters.py"),
    tests("trees", 60, f"{TESTS}/rankers/test_xgboost.py", f"{TESTS}/models/trees/test_fitting.py"),
    Step("demo", 150, (f"{DEMO}cpu --engine cpu", f"{DEMO}gpu --engine gpu", COMPARE), (f"{DEMO}cpu --engine cpu",)),
    features("0.02", 60, cpu=True),
    features("0.1", 90),
    features("0.3", 150),
    features("1.0", 300),
)  # fmt: skip


def whole(scale: str) -> tuple[Step, ...]:
    """Return all steps at full size."""
    names = ("features", "candidates", "train", "two-tower", "pipeline")
    # Against other loaders on the GPU: what the CPU takes for it at this size would be most of the call.
    more = {"two-tower": "--engine gpu --repeats 3"}
    return (
        Step("doctor", None, (f"{HMGPU} doctor",)),
        Step("tests", None, (f"{PYTEST} -m gpu",)),
        Step("demo", None, (f"{DEMO}cpu --engine cpu", f"{DEMO}gpu --engine gpu", COMPARE)),
        *(Step(name, None, (benchmark(name, scale, more.get(name, "--engine auto")),)) for name in names),
    )


class Acceptance:
    """Runs steps and writes down what came of each at once."""

    def __init__(self, out: Path, work: Path, engine: str, minutes: float | None) -> None:
        self.out, self.work, self.engine, self.minutes = out, work, engine, minutes
        self.started, self.failed, self.not_reached = time.monotonic(), False, list[str]()
        drawn = subprocess.run([PYTHON, "-c", "import matplotlib"], capture_output=True, check=False).returncode == 0
        # Or later, elsewhere: hmgpu benchmark plot OUT/features.json
        self.plot = "--plot" if drawn else "--no-plot"

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return float("inf") if self.minutes is None else self.minutes * 60 - (time.monotonic() - self.started)

    def write(self, line: str, said: bool = True) -> None:
        with (self.out / "README.md").open("a", encoding="utf-8") as report:
            report.write(line + "\n")
        if said:
            print(line, flush=True)

    def run(self, step: Step) -> None:
        calls = step.gpu if self.engine == "gpu" else step.cpu
        if not calls:
            return
        if self.left < LEAST:
            self.not_reached.append(step.name)
            return
        limit, began = self.left if self.minutes is None else min(step.limit or self.left, self.left), time.monotonic()
        with watched(self.out / f"{step.name}-gpu.csv", self.engine == "gpu") as used:
            outcome = self.outcome(step, calls, began + limit)
        self.write(f"| {step.name} | {time.monotonic() - began:.0f} | {used()} | {outcome} |")
        if outcome != "ok":
            self.failed = True
            print("\n".join((self.out / f"{step.name}.log").read_text(errors="replace").splitlines()[-20:]), flush=True)

    def outcome(self, step: Step, calls: Sequence[str], end: float) -> str:
        """Run `calls` until one fails or `end` comes, and say what came of it."""
        with (self.out / f"{step.name}.log").open("wb") as log:
            for call in calls:
                filled = call.format(work=self.work, out=self.out, plot=self.plot)
                words = ["not gpu" if word == "not-gpu" else word for word in filled.split()]
                status = ended([PYTHON, *words], log, end)
                if status is None:
                    return f"**stopped** at its limit, see {step.name}.log"
                if status:
                    return f"**failed**, see {step.name}.log"
        return "ok"


def ended(command: Sequence[str], log: object, end: float) -> int | None:
    """Run `command` with its children until `end` at most; return its status, None if it was stopped."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)  # type: ignore[call-overload]
    try:
        wait = None if end == float("inf") else max(0.1, end - time.monotonic())
        return int(process.wait(wait))
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def watched(file: Path, gpu: bool) -> Iterator[Callable[[], str]]:
    """Write the GPU's utilisation (per cent) and memory (MiB) into `file` five times a second meanwhile.

    Yields a call that says, afterwards, the mean of the one and the most of the other, as two cells.
    """
    query = ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits", "-lms", "200"]
    watcher = None
    if gpu:
        with file.open("wb") as rows:
            watcher = subprocess.Popen(query, stdout=rows)

    def used() -> str:
        if not gpu:
            return "- | -"
        rows = [line.split(",") for line in file.read_text().splitlines() if line.count(",") == 1]
        numbers = [(float(busy), int(held)) for busy, held in rows if held.strip().isdigit()]
        if not numbers:
            return " | "
        return f"{sum(busy for busy, _ in numbers) / len(numbers):.0f} | {max(held for _, held in numbers)}"

    try:
        yield used
    finally:
        if watcher:
            watcher.kill()
            watcher.wait()


def gpu_model() -> str:
    """Return the first GPU's name. Exits with status 2 where there is none."""
    try:
        query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        asked = subprocess.run(query, capture_output=True, text=True, check=False)
        said, missing = asked.stdout.strip(), asked.returncode or not asked.stdout.strip()
    except OSError as error:
        said, missing = str(error), True
    if missing:
        print(f"there is no NVIDIA GPU here (nvidia-smi: {said or 'says nothing'})", file=sys.stderr)
        sys.exit(2)
    return said.splitlines()[0]


def main() -> None:
    """Run the steps that the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--engine", choices=("gpu", "cpu"), default="gpu")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--steps")
    parser.add_argument("out", nargs="?", type=Path)
    given = parser.parse_args()
    quick = given.minutes is not None or given.engine == "cpu"
    steps = QUICK if quick else whole(str(given.scale))
    wanted = (given.steps or " ".join(step.name for step in steps)).split()
    if unknown := set(wanted) - {step.name for step in steps}:
        parser.error(f"unknown steps: {', '.join(sorted(unknown))}; there are {', '.join(step.name for step in steps)}")
    model, today = gpu_model() if given.engine == "gpu" else "CPU", datetime.datetime.now(datetime.UTC).date()
    out = given.out or ROOT / f"docs/results/gpu-{model.lower().replace(' ', '-')}-{today}"
    out.mkdir(parents=True, exist_ok=True)
    (out / "README.md").unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as work:
        acceptance = Acceptance(out.resolve(), Path(work), given.engine, given.minutes)
        acceptance.write(f"# {model}, {today}\n\n    scripts/gpu_acceptance.sh {' '.join(sys.argv[1:])}\n", said=False)
        if given.engine == "gpu":
            facts = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
            acceptance.write(subprocess.run(facts, capture_output=True, text=True, check=False).stdout, said=False)
        acceptance.write("| step | seconds | GPU used, mean % | device memory at most, MiB | |\n|---|---|---|---|---|")
        for step in steps:
            if step.name in wanted:
                acceptance.run(step)
    if acceptance.not_reached:
        acceptance.write(f"\nNot reached in {given.minutes:g} minutes: {', '.join(acceptance.not_reached)}.")
    sys.exit(acceptance.failed or bool(acceptance.not_reached))


if __name__ == "__main__":
    main()
