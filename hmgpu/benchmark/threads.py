"""`hmgpu benchmark threads`: each pool's work alone, next to busy processes, and under a container's quota.

Each piece runs in a process of its own, as pools keep the size that they start with. What it should cost next to b busy
processes follows from what it uses alone: of p processors it gets p·u/(u+b), where u are those that it keeps busy.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from rich.table import Table

from hmgpu.benchmark.pools import PIECES
from hmgpu.benchmark.result import Result
from hmgpu.core.alone import alone
from hmgpu.core.threads import CHOSEN, POOLS, processors, use_threads

CGROUPS = Path("/sys/fs/cgroup/cpu")  # version 1: there a process needs no more than root to limit itself
PERIOD = 100_000  # microseconds
BUSY = (0, 1, 2)


@dataclass(frozen=True)
class Spent:
    """What a piece of work took."""

    seconds: float
    used: float
    """Processors that it kept busy, on average."""
    threads: int


def benchmark_threads(repeats: int, pieces: Sequence[str] = tuple(PIECES)) -> "Shares":
    """Measure `pieces` of work alone, next to one and two busy processes, and under a quota of one processor."""
    rows, absent = [], dict[str, str]()
    limited = CGROUPS.is_dir() and os.access(CGROUPS, os.W_OK) and processors() > 1
    if not limited:
        absent["a quota of one processor"] = "this process may not make a cgroup, or has one processor"
    for name in pieces:
        found = {}
        for busy in BUSY:
            with _busy(busy):
                found[f"next to {busy} busy" if busy else "alone"] = alone(spent, name, repeats)
        if limited:
            with _quota(1) as group:
                found["quota of 1"] = alone(spent, name, repeats, group)
        rows.append(_figures(name, found))
    settings = {"repeats": repeats, "processors": processors()}
    return Shares("threads", [], {}, settings, {}, absent, rows)


def spent(name: str, repeats: int, group: Path | None = None) -> Spent:
    """Do a piece of work, once to warm up, and return the medians; `group` is a cgroup to join before."""
    if group is not None:
        (group / "cgroup.procs").write_text(str(os.getpid()))
        for each in (CHOSEN, *POOLS):
            os.environ.pop(each, None)  # the parent's, which is under no quota
    size, work = use_threads(), PIECES[name]()
    work()
    walls, used = list[float](), list[float]()
    for _ in range(repeats):
        started, before = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - started)
        used.append((time.process_time() - before) / walls[-1])
    return Spent(median(walls), median(used), size)


def _figures(name: str, found: dict[str, Spent]) -> dict[str, Any]:
    """Return a piece's entry in the result: seconds, and how many times its fair share's it took."""
    base = found["alone"]
    fair = {busy: max(1.0, (base.used + busy) / processors()) for busy in BUSY}
    ways = {}
    for way, each in found.items():
        times = each.seconds / base.seconds
        busy = int(way.split()[2]) if way.startswith("next") else 0
        expected = max(1.0, base.used) if way.startswith("quota") else fair[busy]
        ways[way] = {
            "seconds": each.seconds,
            "processors_used": each.used,
            "threads": each.threads,
            "times_its_fair_share": times / expected,
        }
    return {"piece": name, "ways": ways}


@contextmanager
def _busy(number: int) -> Iterator[None]:
    """Keep `number` processes busy meanwhile."""
    context = get_context("spawn")
    with ExitStack() as ends:
        for _ in range(number):
            process = context.Process(target=_spin, daemon=True)
            process.start()
            ends.callback(process.join)
            ends.callback(process.kill)
        if number:
            time.sleep(1)  # until they have started
        yield


def _spin() -> None:
    while True:
        pass


@contextmanager
def _quota(processors: int) -> Iterator[Path]:
    """Make a cgroup that may use so many processors, as `docker run --cpus` does."""
    group = CGROUPS / f"hmgpu-benchmark-{os.getpid()}"
    group.mkdir()
    try:
        (group / "cpu.cfs_period_us").write_text(str(PERIOD))
        (group / "cpu.cfs_quota_us").write_text(str(processors * PERIOD))
        yield group
    finally:
        group.rmdir()


@dataclass(frozen=True)
class Shares(Result):
    """A benchmark's result of what pools of threads take of a shared machine."""

    pieces: Sequence[dict[str, Any]] = field(default_factory=tuple)

    def table(self) -> Table:
        title = f"hmgpu benchmark threads: {self.settings['processors']} processors"
        caption = f"medians of {self.settings['repeats']}; fair: times the seconds of its share of the processors"
        table = Table("work", "way", title=title, caption=caption)
        for name in ("threads", "seconds", "processors", "fair"):
            table.add_column(name, justify="right")
        for piece in self.pieces:
            for way, each in piece["ways"].items():
                cells = [f"{each['seconds']:.3f}", f"{each['processors_used']:.2f}"]
                table.add_row(piece["piece"], way, str(each["threads"]), *cells, f"{each['times_its_fair_share']:.2f}")
            table.add_section()
        for name, reason in self.absent.items():
            table.add_row("all", name, reason)
        return table

    def as_json(self, command: str) -> dict[str, Any]:
        return super().as_json(command) | {"pieces": list(self.pieces)}
