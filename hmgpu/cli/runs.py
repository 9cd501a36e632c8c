"""Finished runs: the weekly retrain, which of them is served, and what leaves the house."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hmgpu.cli.options import CURRENT_RUN, ClusterChoice, ConfigFile, EngineChoice, RunsFolder, Settings, start_workers
from hmgpu.core.console import console, progress
from hmgpu.core.engine import Engine
from hmgpu.pipeline.config import load_config
from hmgpu.runs.inventory import inventory, prune, runs_table
from hmgpu.runs.lock import exclusively
from hmgpu.runs.publish import promote, rollback
from hmgpu.serving.export import export
from hmgpu.serving.finished_run import FinishedRun

app = typer.Typer()
verb = partial(app.command, rich_help_panel="Runs")


@verb("retrain")
def retrain_verb(
    config: ConfigFile,
    week: Annotated[
        Path | None, typer.Option("--append", help="A week's file, or a folder of raw files, to add first.")
    ] = None,
    settings: Settings = None,
    engine: EngineChoice = None,
    cluster: ClusterChoice = None,
) -> None:
    """Add a week, check it, train, judge, and make the run the current one if it is good enough.

    Ends with 0 where it was promoted (or nothing is new), 3 where the current run was kept, 4 where the data were
    refused, 5 where another process is changing the runs.
    """
    from hmgpu.retrain.weekly import PAGE, retrain

    loaded = load_config(config, settings or ())
    chosen = Engine.choose(engine or loaded.engine)
    with start_workers(cluster, chosen) as workers, progress("append") as report:
        record = retrain(loaded, week, chosen, workers, report)
    console.print(f"{record.outcome}: {record.reason}\nhistory: {loaded.runs / PAGE}", soft_wrap=True)
    if record.exit_code:
        raise typer.Exit(record.exit_code)


@verb("runs")
def runs_verb(runs: RunsFolder = Path("runs")) -> None:
    """List the runs, oldest data first."""
    console.print(runs_table(inventory(runs)))


@verb("promote")
def promote_verb(run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")]) -> None:
    """Make a finished run the current one, after a look at every file of it."""
    with exclusively(run.parent):
        link = promote(run)
    console.print(f"current run: {link} -> {link.readlink()}", soft_wrap=True)


@verb("rollback")
def rollback_verb(runs: RunsFolder = Path("runs")) -> None:
    """Make the run current again that was so before."""
    with exclusively(runs):
        link = rollback(runs)
    console.print(f"current run: {link} -> {link.readlink()}", soft_wrap=True)


@verb("prune")
def prune_verb(
    runs: RunsFolder = Path("runs"),
    keep: Annotated[int, typer.Option(min=1, help="Runs that stay, the newest; the current one stays anyway.")] = 8,
) -> None:
    """Remove old runs, but never the current one or the one to roll back to."""
    with exclusively(runs):
        removed = prune(runs, keep)
    console.print("\n".join(f"removed: {folder.name}" for folder in removed) or "nothing to remove")


@verb("export")
def export_verb(
    source: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run.")] = CURRENT_RUN,
    out: Annotated[Path, typer.Option("--out", help="Folder to make: new, or an earlier export.")] = Path("export"),
) -> None:
    """Write model, encoders, vectors and lists of a finished run in open formats."""
    files = export(FinishedRun.open(source), out)
    console.print(f"exported: {out} ({len(files)} files and their manifest)", soft_wrap=True)
