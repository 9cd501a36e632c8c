"""GPU-accelerated, end-to-end training of weekly fashion recommenders on H&M-shaped data."""

# In this folder one verb is one function: parse, call, print; nothing else lives here.

import os
import sys
from typing import Annotated

import typer

from hmgpu.cli import app as app_of_runs
from hmgpu.cli import benchmark, data, judge, pipeline, relbench, runs, serve, table, vectors
from hmgpu.cli.verbs import Group
from hmgpu.core.console import complain, console, end_streams, ready_streams, start_logging
from hmgpu.core.errors import BusyError, HmgpuError
from hmgpu.core.interrupts import STOPPED, exit_on_signals
from hmgpu.core.threads import use_threads
from hmgpu.core.version import VERSION

app = typer.Typer(cls=Group, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
for part in (pipeline, table, data, vectors, judge, relbench, runs, serve, app_of_runs):
    app.add_typer(part.app)
app.add_typer(benchmark.app, name="benchmark", cls=Group, rich_help_panel="Evaluation")


def _tell_version(asked: bool) -> None:
    if asked:
        console.print(f"hmgpu {VERSION}", highlight=False)
        raise typer.Exit


@app.callback()
def _hmgpu(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Give hmgpu itself an option."""


def main() -> None:
    """Run the command line; what a user can fix (files and disks included) is a sentence, with exit status 1.

    Ctrl-C and SIGTERM clear away what is under way; what is finished stays, with exit status 130 or 143.
    """
    os.umask(os.umask(0o077) | 0o002)  # models and data are believed later on, so not everybody may write them
    use_threads()
    ready_streams()
    start_logging()
    exit_on_signals()
    sys.exit(_status())


def _status() -> int:
    try:
        try:
            app()
        finally:
            end_streams()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if status in STOPPED:
            complain("Stopped. What was finished stays: the same command goes on from there.")
        return status
    except BusyError as error:
        complain(str(error))
        return 5
    except HmgpuError as error:
        complain(str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        complain(f"{where}{error.strerror or error}.")
    return 1
