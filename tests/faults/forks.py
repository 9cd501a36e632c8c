"""Children that start in milliseconds: forked off one process that has everything imported and has run nothing.

Importing hmgpu takes seconds, and fifty kills need fifty processes. The tests' own process must not be forked: Polars
has threads in it by then, and a lock that a thread held would stay locked in the child. So there is a second process
that does nothing but import and fork, and reads what to do as lines of JSON.
"""

import importlib
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hmgpu.core.html.page import page

GRACE = 300  # seconds; on a busy machine a retrain of two seconds takes a minute
PRELOADED = (
    "hmgpu.cli",
    "hmgpu.pipeline.pipeline",
    "hmgpu.retrain.weekly",
    "hmgpu.parts.models.trees.boosting",
    "faults.acts",
    "psutil",
)
PARTS = ("retrievers", "features", "negatives", "rankers")


@dataclass(frozen=True)
class Ended:
    """How a child ended."""

    code: int
    """Exit status of the child, or the negative number of the signal that ended it."""
    seconds: float
    """Seconds of processor time."""
    said: str
    """All that it wrote to stdout and stderr."""


class Child:
    """A child at work."""

    def __init__(self, forker: "Forker", pid: int, output: Path) -> None:
        self.forker, self.pid, self.output = forker, pid, output

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    def seconds(self) -> float:
        """Return the processor time so far: a kill after so much of it comes at the same place on any machine."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def worked(self, seconds: float) -> bool:
        """Wait until it has used that much processor time; False where it ends before."""
        while not self.forker.has_ended(self.pid):
            if self.seconds() >= seconds:
                return True
            time.sleep(0.002)
        return False

    def wait(self) -> Ended:
        code, seconds = self.forker.wait(self.pid)
        # Killed in its first moments, it has not even opened its output.
        return Ended(code, seconds, self.output.read_text(errors="replace") if self.output.exists() else "")


class Forker:
    """The process that forks."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.number = folder, 0
        tests = str(Path(__file__).parents[1])
        paths = os.pathsep.join([tests, *(path for path in sys.path if path)])
        command = [sys.executable, "-c", "from faults.forks import serve; serve()"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": paths}, **pipes)

    def start(self, act: Callable[..., object], *given: object) -> Child:
        """A child that calls `act`, a function of `acts`, with what JSON can hold of `given`."""
        self.number += 1
        output = self.folder / f"{self.number:04}-{act.__name__}.txt"
        return Child(self, self._ask("fork", act.__name__, list(map(_plain, given)), str(output)), output)

    def run(self, act: Callable[..., object], *given: object) -> Ended:
        """Run a child and wait for it."""
        return self.start(act, *given).wait()

    def has_ended(self, pid: int) -> bool:
        return self._ask("ended", pid)

    def wait(self, pid: int) -> tuple[int, float]:
        code, seconds = self._ask("wait", pid)
        return code, seconds

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(GRACE)

    def _ask(self, *request: object) -> Any:
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], GRACE)
        assert ready, f"no answer to {request} within {GRACE} seconds"
        return json.loads(self.process.stdout.readline())


def _plain(given: object) -> object:
    return str(given) if isinstance(given, Path) else given


def serve() -> None:
    """The forking process: reads requests until there are no more."""
    for name in PRELOADED:
        importlib.import_module(name)
    for name in PARTS:  # whatever a config names, all of them are looked through
        package = importlib.import_module(f"hmgpu.parts.{name}")
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    page("", "", [])  # compiles the templates
    threads = [Path(f"/proc/self/task/{task}/comm").read_text() for task in os.listdir("/proc/self/task")]
    assert not any("polars" in name for name in threads), "Polars has begun to work: it must not be forked"
    ended: dict[int, tuple[int, float]] = {}
    for line in sys.stdin:
        what, *given = json.loads(line)
        if what == "fork":
            answer: object = os.fork()
            if answer == 0:
                _become(*given)
        elif what == "ended":
            answer = given[0] in ended or _look(given[0], ended, os.WNOHANG)
        else:
            answer = ended.pop(given[0], None) or (_look(given[0], ended, 0) and ended.pop(given[0]))
        print(json.dumps(answer), flush=True)


def _look(pid: int, ended: dict[int, tuple[int, float]], options: int) -> bool:
    found, status, usage = os.wait4(pid, options)
    if found:
        ended[pid] = (os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime)
    return bool(found)


def _become(act: str, given: list[Any], output: str) -> None:
    """The child's whole life."""
    code = 70
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which is ignored by what a shell starts with an &
    try:
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for stream, to in ((0, nothing), (1, file), (2, file)):
            os.dup2(to, stream)
        getattr(sys.modules["faults.acts"], act)(*given)
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
