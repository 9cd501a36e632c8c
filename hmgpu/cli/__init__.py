"""GPU-accelerated, end-to-end training of weekly fashion recommenders on H&M-shaped data."""

# In this folder one verb is one function: parse, call, print; nothing else lives here.

import os
import sys

import typer

from hmgpu.cli import benchmark, data, judge, pipeline, runs, vectors
from hmgpu.core.console import console, start_logging
from hmgpu.core.errors import BusyError, HmgpuError
from hmgpu.core.interrupts import exit_on_sigterm

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
for part in (pipeline, data, vectors, judge, runs):
    app.add_typer(part.app)
app.add_typer(benchmark.app, name="benchmark", rich_help_panel="Evaluation")


def main() -> None:
    """Run the command line; what a user can fix (files and disks included) is a sentence, with exit status 1.

    SIGTERM ends it as Ctrl-C does: what is under way is cleared away, what is finished stays, with exit status 143.
    """
    os.umask(os.umask(0o077) | 0o002)  # models and data are believed later on, so not everybody may write them
    start_logging()
    exit_on_sigterm()
    try:
        app()
    except BusyError as error:
        _complain(str(error))
        sys.exit(5)
    except HmgpuError as error:
        _complain(str(error))
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _complain(f"{where}{error.strerror or error}.")
        sys.exit(1)


def _complain(problem: str) -> None:
    problem = problem.encode(errors="backslashreplace").decode()  # a file's name may be bytes that are no text
    console.print(f"Error: {problem}", style="red", highlight=False, soft_wrap=True)
