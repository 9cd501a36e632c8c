"""Verbs of the pipeline: all of it, or one step after the other."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hmgpu.cli.data import generated
from hmgpu.cli.options import (
    ClusterChoice,
    ConfigFile,
    Details,
    DryRun,
    EngineChoice,
    Json,
    RunFolder,
    Scale,
    Seed,
    Settings,
    finished_run,
    loaded,
    print_json,
    show,
    show_plan,
    start_workers,
    working,
)
from hmgpu.cli.verbs import verbs
from hmgpu.core.console import console, messages, write_data
from hmgpu.core.outputs import refuse_among_inputs
from hmgpu.core.progress import progress
from hmgpu.core.words import counted

if TYPE_CHECKING:
    from hmgpu.core.engine import Engine
    from hmgpu.pipeline.config import Config
    from hmgpu.serving.finished_run import FinishedRun

app = typer.Typer()
verb = verbs(app, "Pipeline")
DEMO = Path("demo")  # the name of a shipped config


@verb("run", "hmgpu run", "hmgpu run --config shop.yaml --set weeks.train=6")
def run(
    config: ConfigFile = None,
    settings: Settings = None,
    engine: EngineChoice = None,
    cluster: ClusterChoice = None,
    details: Details = False,
    dry_run: DryRun = False,
) -> None:
    """Run the whole pipeline: ingest, train, evaluate, recommend, submit; then promote the run."""
    if dry_run:
        show_plan(*loaded(config, settings, engine), whole=True)
        return
    _run(*loaded(config, settings, engine), cluster, details)


@verb("demo", "hmgpu demo", "hmgpu demo --scale 0.1 --set runs=demo/other")
def demo(
    config: ConfigFile = DEMO,
    settings: Settings = None,
    engine: EngineChoice = None,
    cluster: ClusterChoice = None,
    scale: Scale = 0.02,
    seed: Seed = 1,
    details: Details = False,
) -> None:
    """Run the whole pipeline on synthetic data that it generates first."""
    from hmgpu.core.files import is_vacant

    found, chosen = loaded(config, settings, engine)
    if is_vacant(found.data.raw):
        messages.print(generated(found.data.raw, scale, seed, images=True), soft_wrap=True, highlight=False)
    _run(found, chosen, cluster, details)


@verb("encode", "hmgpu encode", "hmgpu encode --config best")
def encode(config: ConfigFile = None, settings: Settings = None, engine: EngineChoice = None) -> None:
    """Fit the NVTabular workflows and write customers and articles, encoded for the models."""
    from hmgpu.pipeline.encoded_tables import encode_run, encoding_table

    with working(config, settings, engine) as pipeline:
        columns, folder = encode_run(pipeline)
    console.print(encoding_table(columns), f"encoded: {folder}")


@verb("train", "hmgpu train", "hmgpu train --config shop.yaml --cluster 4")
def train(
    config: ConfigFile = None, settings: Settings = None, engine: EngineChoice = None, cluster: ClusterChoice = None
) -> None:
    """Fit the ranker on the training weeks."""
    with working(config, settings, engine, cluster) as pipeline:
        pipeline.train()
    console.print(f"model: {pipeline.run.folder / 'model'}")


@verb("recommend", "hmgpu recommend --config shop.yaml", "hmgpu recommend --customers ids.csv --out lists.csv")
def recommend(
    config: ConfigFile = None,
    settings: Settings = None,
    engine: EngineChoice = None,
    cluster: ClusterChoice = None,
    customers: Annotated[
        list[str] | None,
        typer.Option(
            "--customers",
            metavar="ID|FILE",
            help="Look up the lists of some in a finished run instead: a customer id, or a file of ids; repeatable.",
        ),
    ] = None,
    run: RunFolder = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the looked-up lists here, as CSV.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also say why each article is on a list; it needs the run's data set.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Choose twelve articles for every customer, or look up what a finished run has chosen for some."""
    if customers is not None:
        if engine or cluster:
            raise typer.BadParameter("--customers looks lists up: it goes with neither --engine nor --cluster")
        _look_up(customers, finished_run(run, config, settings), out, explain, as_json)
        return
    if run or out or explain or as_json:
        raise typer.BadParameter(
            "--run, --out, --explain and --json belong to --customers: without it all lists are computed"
        )
    with working(config, settings, engine, cluster) as pipeline:
        steps = pipeline.recommend()
    console.print(f"recommendations: {steps[0].folder.parent}", soft_wrap=True)


@verb("submit", "hmgpu submit", "hmgpu submit --config best --engine gpu")
def submit(
    config: ConfigFile = None, settings: Settings = None, engine: EngineChoice = None, cluster: ClusterChoice = None
) -> None:
    """Write everybody's list into one CSV file, `submission.csv`, which Kaggle takes if the data are H&M's."""
    with working(config, settings, engine, cluster) as pipeline:
        submission = pipeline.submit()
    console.print(f"lists: {submission}", soft_wrap=True)


def _run(config: "Config", engine: "Engine", cluster: str | None, details: bool) -> None:
    from hmgpu.core.files import is_vacant
    from hmgpu.data.ingest import ingest
    from hmgpu.data.manifest import NAME as MANIFEST
    from hmgpu.pipeline.evaluate import METRICS
    from hmgpu.pipeline.open import open_pipeline
    from hmgpu.pipeline.tracking import track_week
    from hmgpu.runs.lock import exclusively
    from hmgpu.runs.publish import promote

    raw = config.data.raw
    if not is_vacant(raw) or not (config.data.root / MANIFEST).exists():
        with progress("ingest") as report:
            summary = ingest(config.data, progress=report)
        messages.print(str(summary), soft_wrap=True, highlight=False)
    else:
        messages.print(f"{raw} holds no files: working with the data set in {config.data.root}", soft_wrap=True)
    with start_workers(cluster, engine) as workers, open_pipeline(config, engine, workers).working() as pipeline:
        pipeline.finish()
        with exclusively(config.runs):
            current = promote(pipeline.run.folder)
        track_week(pipeline, "run", current / METRICS)
    show(current / METRICS, details)
    console.print(*ending(current), sep="\n", soft_wrap=True, highlight=False)


def ending(current: Path) -> list[str]:
    """The last lines of a run: how good it is, what left itself out, where its files are, and what to do next."""
    import json

    from hmgpu.core.parquet import read_table
    from hmgpu.evaluation.verdict import verdict
    from hmgpu.pipeline.evaluate import METRICS, PRECISIONS
    from hmgpu.runs.run import MANIFEST

    metrics = (current / METRICS).resolve()
    precisions = read_table(metrics.with_name(PRECISIONS))
    left_out = json.loads((current / MANIFEST).read_text(encoding="utf-8")).get("left_out")
    return [
        verdict(json.loads(metrics.read_text(encoding="utf-8")), precisions),
        *([f"left out: {', '.join(left_out)} (the report says why)"] if left_out else []),
        f"lists: {current / 'submission.csv'}",
        f"report: {current / 'report.html'}",
        f"app: hmgpu app {current.parent}",
        f"current run: {current} -> {current.readlink()}",
        f"next: hmgpu open --run {current}",
        f"      hmgpu recommend --run {current} --customers ID",
    ]


def _explain(run: "FinishedRun", customers: list[str], out: Path | None, as_json: bool) -> None:
    from dataclasses import asdict

    from hmgpu.core.files import write_text
    from hmgpu.serving.explain import as_csv, explained, reason_table, unexplained  # loads the pipeline and XGBoost

    reasons, _ = explained(run, customers)
    if note := unexplained(reasons, run):
        messages.print(note, soft_wrap=True)
    if out:
        write_text(out, as_csv(reasons, run))
        console.print(f"explained lists: {out} ({counted(len(customers), 'customer')})", soft_wrap=True)
    elif as_json:
        print_json([asdict(each) for each in reasons])
    elif console.is_terminal:
        console.print(reason_table(reasons))
    else:
        write_data(as_csv(reasons, run))


def _look_up(customers: list[str], source: Path, out: Path | None, explain: bool, as_json: bool) -> None:
    # It must answer at once, so it loads neither the pipeline nor XGBoost.
    from hmgpu.core.files import write_text
    from hmgpu.serving.finished_run import FinishedRun
    from hmgpu.serving.lookup import as_csv, list_table, look_up, unknown_warning

    run = FinishedRun.open(source)
    if out:
        refuse_among_inputs(out, run.config.get("data", {}).get("raw"))
    found, unknown = look_up(run, customers)
    if unknown:
        messages.print(unknown_warning(unknown, source), style="yellow", soft_wrap=True)
    if explain:
        _explain(run, found["customer_id"].to_list(), out, as_json)
        return
    if out:
        write_text(out, as_csv(found, run))
        console.print(f"lists: {out} ({counted(found.height, 'customer')})", soft_wrap=True)
    elif as_json:
        print_json(found.select("customer_id", "articles").to_dicts())
    elif console.is_terminal:
        console.print(list_table(found, source))
    else:
        write_data(as_csv(found, run))
