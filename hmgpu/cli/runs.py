"""Verbs about finished runs: the weekly retrain, which run is served, and the export."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from hmgpu.cli.options import (
    ClusterChoice,
    ConfigFile,
    EngineChoice,
    Json,
    NewWeek,
    RunFolder,
    RunsFolder,
    Settings,
    finished_run,
    loaded,
    print_json,
    start_workers,
    working,
)
from hmgpu.cli.verbs import verbs
from hmgpu.core.console import console
from hmgpu.core.outputs import refuse_among_inputs
from hmgpu.core.progress import progress
from hmgpu.core.words import counted

app = typer.Typer()
verb = verbs(app, "Runs")


@verb("retrain", "hmgpu retrain --append 2020-09-23.csv", "hmgpu retrain --config shop.yaml --append inbox/week40")
def retrain_verb(
    config: ConfigFile = None,
    week: NewWeek = None,
    settings: Settings = None,
    engine: EngineChoice = None,
    cluster: ClusterChoice = None,
) -> None:
    """Add a week, check it, train, evaluate, and promote the new run if it is good enough.

    Exit status: 0 if the new run was promoted (or nothing is new), 3 if the current run was kept, 4 if the data were
    refused, 5 if another process is changing the runs.
    """
    from hmgpu.retrain.weekly import PAGE, retrain

    found, chosen = loaded(config, settings, engine)
    with start_workers(cluster, chosen) as workers, progress("append") as report:
        record = retrain(found, week, chosen, workers, report)
    console.print(f"{record.outcome}: {record.reason}\nhistory: {found.runs / PAGE}", soft_wrap=True)
    if record.exit_code:
        raise typer.Exit(record.exit_code)


@verb("runs", "hmgpu runs", "hmgpu runs --runs demo/runs --details")
def runs_verb(
    runs: RunsFolder = Path("runs"),
    details: Annotated[bool, typer.Option("--details", help="Show all that was set differently.")] = False,
    as_json: Json = False,
) -> None:
    """List the runs, oldest data first: what each achieved, and what was set differently from the config `base`."""
    from hmgpu.runs import log_of_runs
    from hmgpu.runs.inventory import inventory

    listed = inventory(runs)
    if as_json:
        print_json(log_of_runs.as_json(listed))
    elif listed:
        console.print(log_of_runs.runs_table(listed), log_of_runs.settings_table(listed, details))
    else:
        console.print(f"There is no run in {runs} yet: `hmgpu run` makes one.", soft_wrap=True)


@verb("promote", "hmgpu promote 2020-09-22-23c60257", "hmgpu promote demo/runs/2020-09-22-23c60257")
def promote_verb(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run: its folder, or its name in --runs.")],
    runs: RunsFolder = Path("runs"),
) -> None:
    """Check all files of a finished run, then make it the current run, which is the one that is served."""
    from hmgpu.runs.find import find_run
    from hmgpu.runs.index import write_index
    from hmgpu.runs.lock import exclusively
    from hmgpu.runs.publish import promote

    found = find_run(run, runs)
    with exclusively(found.parent):
        link = promote(found)
        write_index(found.parent)
    console.print(f"current run: {link} -> {link.readlink()}", soft_wrap=True)


@verb("rollback", "hmgpu rollback", "hmgpu rollback --runs demo/runs")
def rollback_verb(runs: RunsFolder = Path("runs")) -> None:
    """Return to the run that was current before."""
    from hmgpu.runs.find import refuse_without_runs
    from hmgpu.runs.index import write_index
    from hmgpu.runs.lock import exclusively
    from hmgpu.runs.publish import rollback

    refuse_without_runs(runs)
    with exclusively(runs):
        link = rollback(runs)
        write_index(runs)
    console.print(f"current run: {link} -> {link.readlink()}", soft_wrap=True)


@verb("prune", "hmgpu prune --keep 4", "hmgpu prune --runs demo/runs --dry-run")
def prune_verb(
    runs: RunsFolder = Path("runs"),
    keep: Annotated[
        int, typer.Option("--keep", min=1, help="How many of the newest runs stay; the current one always does.")
    ] = 8,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
) -> None:
    """Remove old runs, but never the current one or the one to roll back to."""
    from hmgpu.runs.find import refuse_without_runs
    from hmgpu.runs.index import write_index
    from hmgpu.runs.inventory import inventory, kept, prune
    from hmgpu.runs.lock import exclusively

    refuse_without_runs(runs)
    found = inventory(runs)
    stay = kept(runs, found, keep)
    if not dry:
        with exclusively(runs):
            removed = prune(runs, keep)
            write_index(runs)
    gone = [run.folder for run in found if run.folder not in stay] if dry else removed
    lines = [f"{'would remove' if dry else 'removed'}: {folder.name}" for folder in gone]
    lines += [f"kept: {folder.name}, {why}" for folder, why in sorted(stay.items()) if folder not in gone]
    console.print("\n".join(lines if gone else ["nothing to remove", *lines]), soft_wrap=True)


@verb(
    "export",
    "hmgpu export --run demo/runs/current --out exported",
    "hmgpu export --config shop.yaml --feast features",
)
def export_verb(
    run: RunFolder = None,
    config: ConfigFile = None,
    settings: Settings = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="Folder to write: a new one, or an earlier export, which is replaced.",
            show_default="export",
        ),
    ] = None,
    feast: Annotated[
        Path | None,
        typer.Option(
            "--feast",
            metavar="FOLDER",
            help="Write a Feast repository of the config's features instead: a new folder, or an earlier one, to which "
            "weeks are added.",
        ),
    ] = None,
) -> None:
    """Write model, encoders, vectors and lists of a finished run in open formats, or its features for Feast."""
    if feast:
        if run or out:
            raise typer.BadParameter("--feast goes with --config and --set, not with --run and --out")
        _export_for_feast(config, settings, feast)
        return
    from hmgpu.serving.export import export
    from hmgpu.serving.finished_run import FinishedRun

    opened = FinishedRun.open(finished_run(run, config, settings))
    out = out or Path("export")
    refuse_among_inputs(out, opened.config.get("data", {}).get("raw"))
    files = export(opened, out)
    console.print(f"exported: {out} ({counted(len(files), 'file')} and their manifest)", soft_wrap=True)


def _export_for_feast(config: Path | None, settings: list[str] | None, out: Path) -> None:
    from hmgpu.core.extras import missing, remedy
    from hmgpu.serving.feature_store.folder import export_features

    with working(config, settings, None) as pipeline:
        refuse_among_inputs(out, pipeline.config.data.raw, "--feast")
        weeks = export_features(pipeline, out)
    console.print(f"features: {out} ({counted(len(weeks), 'week')}, the last {weeks[-1]})", soft_wrap=True)
    first, last = (f"{week}T00:00:00" for week in (weeks[0], weeks[-1]))
    install = f"{remedy('feast')}\n" if missing(["feast"]) else ""
    place = shlex.quote(str(out))
    console.print(
        f"next:\n{install}feast --chdir {place} apply\nfeast --chdir {place} materialize {first} {last}", soft_wrap=True
    )
