"""The command line called in the test's own process, which saves the seconds that loading it takes."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from hmgpu.cli import main
from hmgpu.core.interrupts import STOPS


class Ended(NamedTuple):
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


Hmgpu = Callable[..., Ended]


@pytest.fixture
def hmgpu(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Hmgpu]:
    """`hmgpu VERB …` as a function. What `main` sets for its process is set back when the test is over."""
    umask = os.umask(0o077)
    os.umask(umask)
    signals, log = {number: signal.getsignal(number) for number in STOPS}, logging.getLogger("hmgpu")
    level, handlers = log.level, log.handlers

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["hmgpu", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        return Ended(int(end.value.code or 0), *capsys.readouterr())

    yield run
    os.umask(umask)
    for number, handler in signals.items():
        signal.signal(number, handler)
    log.setLevel(level)
    log.handlers = handlers
