"""What goes to which stream, and streams that are closed, full, not read to the end or in another encoding."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

MAIN = """
import logging, sys
from rich.table import Table
from hmgpu import cli
from hmgpu.core.console import console, write_data
from hmgpu.core.errors import RunError

def app():
    logging.getLogger("hmgpu.x").info("at work in a→b")
    {verb}
    sys.exit(0)

cli.app = app
cli.main()
"""
TABLE = """
    table = Table(title="Läden", caption="MAP@12 of 0.1–0.2")
    table.add_column("é→\\u0105")
    table.add_row("\\udcff")
    console.print(table)
"""
Started = Callable[..., "subprocess.CompletedProcess[bytes]"]


def run(verb: str, shell: str = "", **environment: str) -> "subprocess.CompletedProcess[bytes]":
    """A command line whose only verb is `verb`, its streams led as `shell` says."""
    known = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "CODE": MAIN.format(verb=verb), **environment}
    command = f'set -o pipefail; {sys.executable} -c "$CODE" {shell}'
    return subprocess.run(["bash", "-c", command], env=known, capture_output=True, check=False, timeout=60)


def test_results_go_to_stdout_and_all_else_to_stderr() -> None:
    done = run("console.print('found'); raise RunError('nothing more')")
    assert (done.returncode, done.stdout) == (1, b"found\n")
    log, error = done.stderr.decode().splitlines()
    assert log.endswith(" at work in a→b")
    assert error == "Error: nothing more"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "utf-8"])
def test_every_sign_can_be_written(encoding: str) -> None:
    done = run(TABLE, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode(encoding)
    assert ("0.1–0.2" in shown) == (encoding == "utf-8")
    assert "\\udcff" in shown
    assert ("a->b" in done.stderr.decode(encoding)) == (encoding != "utf-8")
    assert b"Traceback" not in done.stderr


def test_data_are_utf_8_as_in_a_file() -> None:
    done = run("write_data('ąé→')", PYTHONIOENCODING="ascii")
    assert done.stdout.decode() == "ąé→"


@pytest.mark.parametrize(
    "verb", ["console.print('x' * 99999, soft_wrap=True, highlight=False)", "write_data('x' * 99999)"]
)
def test_a_reader_that_goes_away_ends_it_without_a_word(verb: str) -> None:
    done = run(f"{verb}; {verb}; raise RunError('after the reader had gone')", "| head -c 10")
    assert (done.returncode, done.stdout) == (141, b"x" * 10)
    assert len(done.stderr.splitlines()) == 1


def test_the_work_goes_on_where_nobody_reads_the_log() -> None:
    log = "[logging.getLogger('hmgpu.x').info('y' * 999) for _ in range(99)]"
    done = run(f"{log}; open('/dev/fd/3', 'w').write('finished')", "2>&1 >/dev/null 3>&1 | head -c 10")
    assert done.returncode == 0
    done = run(f"{log}; console.print('finished')", "2>/dev/full")
    assert (done.returncode, done.stdout) == (0, b"finished\n")


def test_a_full_disk_behind_stdout_is_said() -> None:
    done = run("console.print('lists')", ">/dev/full")
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[1:] == ["Error: standard output: No space left on device."]


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_problem_and_nothing_takes_their_place(closed: str) -> None:
    done = run(
        "console.print('lists'); write_data('lists'); file = open('/dev/null'); assert file.fileno() > 2", closed
    )
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(("columns", "wide"), [("", 140), ("80", 80), ("many", 140)])
def test_columns_says_how_wide_lines_are_in_a_pipe(columns: str, wide: int) -> None:
    done = run("console.rule()", COLUMNS=columns)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.decode().rstrip("\n")) == wide
