"""What children do: the command line, with a fault built in. The package knows nothing of it."""

import datetime
import os
import re
import shutil
import signal
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hmgpu import cli

VARIES = r"-[0-9a-f]{8}\b|(?<=current)-\d+|\d{4}-\d\d-\d\dT[^/]*"  # hashes, process ids, times
MOVES = ("replace", "rename", "symlink", "unlink")


def hmgpu(arguments: list[str]) -> None:
    """The command line, as its users start it."""
    sys.argv = ["hmgpu", *arguments]
    cli.main()


# --- killed at a boundary --------------------------------------------------------------------------------------------


def killed_at_the_next_boundary(arguments: list[str], root: str, seen: str) -> None:
    """Killed at the first boundary that isn't in the file `seen` yet, which is then written into it.

    A boundary is the moment before a call that moves, links or removes something below `root`: when a step has made its
    files, when its manifest is whole, before the data set is swapped, the link to the current run, … Started again and
    again it dies at one after the other; the last attempt finds none that is new.
    """
    known = set(Path(seen).read_text().splitlines()) if Path(seen).exists() else set()

    def before(name: str, place: str) -> None:
        boundary = f"{name} {re.sub(VARIES, '', place.removeprefix(root))}"
        if name == "rmtree":  # of what an attempt before left: once is enough
            boundary = boundary.partition("/steps/")[0]
        if boundary not in known:
            with open(seen, "a") as file:
                file.write(boundary + "\n")
            os.kill(os.getpid(), signal.SIGKILL)

    for module, name in (*((os, name) for name in MOVES), (shutil, "rmtree")):
        _watch(module, name, before, root)
    hmgpu(arguments)


def _watch(module: Any, name: str, before: Callable[[str, str], None], root: str) -> None:
    real = getattr(module, name)

    def watched(*given: Any, **named: Any) -> Any:
        place = next((str(each) for each in reversed(given) if str(each).startswith(root)), None)
        if place:
            before(name, place)
        return real(*given, **named)

    setattr(module, name, watched)


def killed_before(arguments: list[str], where: str) -> None:
    """Killed when `where` (a function, as `module:name`) is called."""
    _put(where, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
    hmgpu(arguments)


def waiting_before(arguments: list[str], where: str, sign: str, go: str) -> None:
    """Write the file `sign` when `where` is called, and go on once there is a file `go`."""
    module, _, name = where.partition(":")
    real = getattr(sys.modules[module], name)

    def wait(*given: Any, **named: Any) -> Any:
        Path(sign).touch()
        until = time.monotonic() + 600  # a test that failed lets nobody go on
        while not Path(go).exists() and time.monotonic() < until:
            time.sleep(0.01)
        return real(*given, **named)

    _put(where, wait)
    hmgpu(arguments)


def _put(where: str, function: Callable[..., Any]) -> None:
    module, _, name = where.partition(":")
    setattr(sys.modules[module], name, function)


# --- other faults ----------------------------------------------------------------------------------------------------


def with_a_jumping_clock(arguments: list[str], years: list[float]) -> None:
    """The wall clock is off by the next of `years` whenever it is asked; what measures durations goes on evenly."""
    real, asked = time.time, [0]

    def jumping() -> float:
        asked[0] += 1
        return real() + years[asked[0] % len(years)] * 365.25 * 86400

    class Jumping(datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.datetime.fromtimestamp(jumping(), tz)

    seen = types.SimpleNamespace(
        datetime=Jumping, UTC=datetime.UTC, date=datetime.date, timedelta=datetime.timedelta, timezone=datetime.timezone
    )
    time.time = jumping
    for name, module in list(sys.modules.items()):
        if name.startswith("hmgpu.") and getattr(module, "datetime", None) is datetime:
            module.datetime = seen  # type: ignore[attr-defined]
    hmgpu(arguments)


def with_little_memory_a_shard(arguments: list[str], most: int, kind: str) -> None:
    """More than `most` customers at once are too many candidates for the memory."""
    import polars as pl

    from hmgpu.pipeline.learn import Learning

    errors = {
        "memory": MemoryError("std::bad_alloc"),
        "polars": pl.exceptions.ComputeError("MemoryError: std::bad_alloc: out_of_memory: CUDA error at: rmm/mr.hpp"),
    }
    real = Learning.audience

    def limited(self: Learning, week: Any, customers: pl.DataFrame) -> Any:
        if customers.height > most:
            raise errors[kind]
        return real(self, week, customers)

    Learning.audience = limited  # type: ignore[method-assign]
    hmgpu(arguments)


def without_a_mask(arguments: list[str]) -> None:
    """Nothing is masked out of the modes of new files."""
    os.umask(0)
    hmgpu(arguments)


def append_damaged_parquet(good: str, raw: str, root: str, number: int) -> None:
    """Append `number` damaged copies of the Parquet file `good`, one after the other; print how many were refused."""
    import random

    from small_world import SmallShop, tree

    from hmgpu.core.errors import DataError
    from hmgpu.data.ingest import append

    world, content, draw, refused = SmallShop(Path(raw), Path(root)), Path(good).read_bytes(), random.Random(5), 0
    file, before = world.raw / "week.parquet", tree(world.root)
    for _ in range(number):
        harmed = bytearray(content)
        for _ in range(draw.randint(1, 4)):
            harmed[draw.randrange(len(harmed))] = draw.randrange(256)
        file.write_bytes(harmed[: draw.choice([len(harmed)] * 4 + [draw.randrange(len(harmed))])])
        print(f"{refused} so far", flush=True)
        try:
            append(world.settings(), file)
        except DataError:
            assert tree(world.root) == before
            refused += 1
        else:
            shutil.rmtree(world.root)
            shutil.copytree(world.root.with_name("kept"), world.root)
    print(f"refused: {refused} of {number}")


def with_environment(arguments: list[str], variables: dict[str, str]) -> None:
    os.environ.update(variables)
    hmgpu(arguments)
