"""The line: all of it, or one step after the other."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hmgpu.cli.data import synth
from hmgpu.cli.options import (
    CURRENT_RUN,
    ClusterChoice,
    ConfigFile,
    EngineChoice,
    Settings,
    show,
    start_workers,
    working,
)
from hmgpu.core.console import console, progress
from hmgpu.core.engine import Choice, Engine
from hmgpu.core.files import is_vacant, write_text
from hmgpu.data.ingest import ingest
from hmgpu.data.manifest import NAME as MANIFEST
from hmgpu.pipeline.config import Config, load_config
from hmgpu.runs.lock import exclusively
from hmgpu.runs.publish import promote
from hmgpu.serving.finished_run import FinishedRun
from hmgpu.serving.lookup import as_csv, list_table, look_up, unknown_warning

app = typer.Typer()
verb = partial(app.command, rich_help_panel="Line")
DEMO = Path("configs/demo.yaml")


@verb()
def run(
    config: ConfigFile, settings: Settings = None, engine: EngineChoice = None, cluster: ClusterChoice = None
) -> None:
    """All of it: ingest, train, evaluate, recommend, submit; then make the run the current one."""
    _run(load_config(config, settings or ()), engine, cluster)


@verb()
def demo(
    config: ConfigFile = DEMO,
    settings: Settings = None,
    engine: EngineChoice = None,
    cluster: ClusterChoice = None,
    scale: Annotated[float, typer.Option(min=1e-4, help="Of the generated data; 1.0 is the size of H&M's.")] = 0.02,
    seed: Annotated[int, typer.Option(min=0, help="Of the generated data.")] = 1,
) -> None:
    """All of it on data that it generates itself."""
    loaded = load_config(config, settings or ())
    if is_vacant(loaded.data.raw):
        synth(loaded.data.raw, scale, seed)
    _run(loaded, engine, cluster)


@verb()
def encode(config: ConfigFile, settings: Settings = None, engine: EngineChoice = None) -> None:
    """Fit the NVTabular workflows and write customers and articles as learned models see them."""
    from hmgpu.pipeline.encoded_tables import encode_run, encoding_table

    with working(config, settings, engine) as pipeline:
        columns, folder = encode_run(pipeline)
    console.print(encoding_table(columns), f"encoded: {folder}")


@verb()
def train(
    config: ConfigFile, settings: Settings = None, engine: EngineChoice = None, cluster: ClusterChoice = None
) -> None:
    """Fit the ranker on the training weeks."""
    with working(config, settings, engine, cluster) as pipeline:
        pipeline.train()
    console.print(f"model: {pipeline.run.folder / 'model'}")


@verb()
def recommend(
    config: Annotated[Path | None, typer.Option("--config", help="Make the lists of all customers.")] = None,
    settings: Settings = None,
    engine: EngineChoice = None,
    cluster: ClusterChoice = None,
    customers: Annotated[
        list[str] | None,
        typer.Option("--customers", help="Look up lists instead: a customer id, or a file of ids; repeatable."),
    ] = None,
    source: Annotated[Path | None, typer.Option("--from", help="The run to look them up in.  [runs/current]")] = None,
    output: Annotated[Path | None, typer.Option("--output", help="Write the lists here, as CSV.")] = None,
) -> None:
    """Choose twelve articles for every customer, or look up what a finished run has chosen for some."""
    if customers:
        if config or settings or engine or cluster:
            raise typer.BadParameter("--customers looks lists up: it goes with --from and --output alone")
        _look_up(customers, source or CURRENT_RUN, output)
        return
    if not config or source or output:
        raise typer.BadParameter("give --config to make all lists, or --customers to look some up")
    with working(config, settings, engine, cluster) as pipeline:
        steps = pipeline.recommend()
    console.print(f"recommendations: {steps[0].folder.parent}")


@verb()
def submit(
    config: ConfigFile, settings: Settings = None, engine: EngineChoice = None, cluster: ClusterChoice = None
) -> None:
    """Write the recommendations as Kaggle takes them."""
    with working(config, settings, engine, cluster) as pipeline:
        submission = pipeline.submit()
    console.print(f"submission: {submission}")


def _run(config: Config, engine: Choice | None, cluster: str | None) -> None:
    from hmgpu.pipeline.open import open_pipeline

    chosen = Engine.choose(engine or config.engine)
    raw = config.data.raw
    if not is_vacant(raw) or not (config.data.root / MANIFEST).exists():
        with progress("ingest") as report:
            summary = ingest(config.data, progress=report)
        console.print(str(summary), soft_wrap=True)
    else:
        console.print(f"{raw} holds no files: working with the data set in {config.data.root}", soft_wrap=True)
    with start_workers(cluster, chosen) as workers, open_pipeline(config, chosen, workers).working() as pipeline:
        submission = pipeline.finish()
        with exclusively(config.runs):
            current = promote(pipeline.run.folder)
        metrics = pipeline.run.folder / "metrics.json"
    show(metrics)
    console.print(f"submission: {submission}\ncurrent run: {current} -> {current.readlink()}", soft_wrap=True)


def _look_up(customers: list[str], source: Path, output: Path | None) -> None:
    found, unknown = look_up(FinishedRun.open(source), customers)
    if unknown:
        typer.echo(unknown_warning(unknown, source), err=True)
    if output:
        write_text(output, as_csv(found))
        console.print(f"lists: {output} ({found.height:,} customers)", soft_wrap=True)
    elif sys.stdout.isatty():
        console.print(list_table(found, source))
    else:
        typer.echo(as_csv(found), nl=False)
