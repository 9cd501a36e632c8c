"""GPU-accelerated, end-to-end training of weekly fashion recommenders on H&M-shaped data."""

# One verb, one function: parse, call, print. Nothing else lives here. What loads the whole line, XGBoost and all, is
# imported by the verbs that need it, so that looking up a list does not wait for it.

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hmgpu.benchmark.cli import app as benchmark
from hmgpu.config import Config, load_config
from hmgpu.console import console, progress, start_logging
from hmgpu.data import kaggle
from hmgpu.data.ingest import append, ingest
from hmgpu.data.manifest import NAME as MANIFEST
from hmgpu.data.settings import DataSettings
from hmgpu.data.store import Store
from hmgpu.data.synthetic import synthesize
from hmgpu.doctor import examine
from hmgpu.engine import Choice, Engine
from hmgpu.errors import BusyError, ConfigError, HmgpuError
from hmgpu.evaluation.contributions import contribution_table
from hmgpu.evaluation.strategies import segment_table
from hmgpu.evaluation.tables import method_table, strategy_table
from hmgpu.exploration.page import explore
from hmgpu.files import is_vacant, write_json, write_text
from hmgpu.interrupts import exit_on_sigterm
from hmgpu.runs.inventory import inventory, prune, runs_table
from hmgpu.runs.lock import exclusively
from hmgpu.runs.publish import CURRENT, promote, rollback
from hmgpu.serving.export import export
from hmgpu.serving.lookup import as_csv, list_table, look_up, unknown_warning
from hmgpu.serving.made import FinishedRun
from hmgpu.workers import hired

if TYPE_CHECKING:
    from hmgpu.pipeline import Pipeline

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(benchmark, name="benchmark")

DEMO = Path("configs/demo.yaml")
CURRENT_RUN = Path("runs") / CURRENT
ConfigFile = Annotated[Path, typer.Option("--config", help="YAML config; see configs/base.yaml.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="key.key=value, put over the config; repeatable.")]
EngineChoice = Annotated[Choice | None, typer.Option("--engine", help="auto, cpu or gpu; over the config's.")]
RunsFolder = Annotated[Path, typer.Option("--runs", help="Folder of the runs.")]
ClusterChoice = Annotated[
    str | None,
    typer.Option("--cluster", help="Dask workers: how many processes to start here, or a scheduler's tcp:// address."),
]


@app.command("ingest")
def ingest_verb(
    raw: Annotated[Path | None, typer.Argument(help="Folder with the raw files.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the data set.")] = None,
    week: Annotated[
        Path | None, typer.Option("--append", help="A week's file, or a folder of raw files, to add.")
    ] = None,
    replace: Annotated[bool, typer.Option(help="Ingest anew over a data set of other sources or settings.")] = False,
    config: Annotated[
        Path | None, typer.Option("--config", help="Config whose `data` section says what files hold.")
    ] = None,
    settings: Settings = None,
) -> None:
    """Read raw files into a data set, or add a week to it."""
    if settings and not config:
        raise typer.BadParameter("--set goes over the config, so it needs --config")
    if week and (raw or replace):
        raise typer.BadParameter("--append adds to a data set: it goes with neither RAW nor --replace")
    described = load_config(config, settings).data if config else DataSettings(raw=Path("raw"), root=Path("data"))
    places = {"raw": raw or described.raw, "root": out or described.root}
    given = described.model_copy(update=places)
    with progress("append" if week else "ingest") as report:
        summary = append(given, week, progress=report) if week else ingest(given, replace=replace, progress=report)
    console.print(str(summary), soft_wrap=True)


@app.command()
def download(
    out: Annotated[Path, typer.Argument(help="Folder to download into.")],
    images: Annotated[bool, typer.Option(help="Also the pictures (25 GB).")] = False,
) -> None:
    """Download the competition's files with your own Kaggle credentials."""
    kaggle.download(out, images=images)


@app.command()
def synth(
    out: Annotated[Path, typer.Argument(help="Folder for the raw files.")],
    scale: Annotated[
        float, typer.Option(min=1e-4, help="1.0 is 31.8 M rows, 1.37 M customers, 105,542 articles.")
    ] = 0.02,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 1,
) -> None:
    """Make an H&M-shaped world in the raw layout."""
    with progress("weeks") as report:
        made = synthesize(out, scale, seed, report)
    console.print(f"{out}: " + ", ".join(f"{number:,} {what}" for what, number in made.items()))


@app.command()
def doctor(
    engine: EngineChoice = None,
    data: Annotated[Path | None, typer.Option("--data", help="A data set's folder.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="Config that names the data set.")] = None,
) -> None:
    """Say what this machine, this installation and the data folder can do."""
    loaded = load_config(config) if config else None
    root = data or (loaded.data.root if loaded else None)
    console.print(examine(engine or (loaded.engine if loaded else "auto"), root))


@app.command("explore")
def explore_verb(
    config: Annotated[Path | None, typer.Option("--config", help="Config that names the data set.")] = None,
    settings: Settings = None,
    data: Annotated[Path | None, typer.Option("--data", help="A data set's folder, instead of a config.")] = None,
    output: Annotated[Path, typer.Option("--output", help="The page to write.")] = Path("explore.html"),
    engine: EngineChoice = None,
) -> None:
    """Describe a data set on one page: sales, customers, articles, seasons, prices."""
    if (config is None) == (data is None):
        raise typer.BadParameter("name the data set by either --config or --data")
    if settings and not config:
        raise typer.BadParameter("--set goes over the config, so it needs --config")
    loaded = load_config(config, settings) if config else None
    root = data or (loaded.data.root if loaded else Path())
    chosen = Engine.choose(engine or (loaded.engine if loaded else "auto"))
    write_text(output, explore(Store(root), chosen))
    console.print(f"page: {output}", soft_wrap=True)


@app.command()
def encode(config: ConfigFile, settings: Settings = None, engine: EngineChoice = None) -> None:
    """Fit the NVTabular workflows and write customers and articles as learned models see them."""
    from hmgpu.encoding import encode_run, encoding_table

    with _working(config, settings, engine) as line:
        columns, folder = encode_run(line)
    console.print(encoding_table(columns), f"encoded: {folder}")


@app.command()
def train(
    config: ConfigFile, settings: Settings = None, engine: EngineChoice = None, cluster: ClusterChoice = None
) -> None:
    """Fit the ranker on the training weeks."""
    with _working(config, settings, engine, cluster) as line:
        line.train()
    console.print(f"model: {line.run.folder / 'model'}")


@app.command()
def evaluate(
    config: ConfigFile,
    settings: Settings = None,
    engine: EngineChoice = None,
    cluster: ClusterChoice = None,
    folds: Annotated[int, typer.Option(min=0, help="Score this many last weeks, each by a ranker made before it.")] = 0,
    ablate: Annotated[
        str | None,
        typer.Option(
            help="retrievers, features: also score the line without each of them; negatives, weeks, candidates: with "
            "other numbers of these. Several with commas."
        ),
    ] = None,
) -> None:
    """Score candidates and ranker on the validation week, or on each of the last weeks."""
    from hmgpu.ablation import ablate_folds, ablate_run, sections_in
    from hmgpu.folds import evaluate_folds, fold_lines, fold_table

    sections = sections_in(ablate) if ablate is not None else ()
    if folds:
        loaded = load_config(config, settings)
        chosen = Engine.choose(engine or loaded.engine)
        with hired(cluster, chosen) as workers:
            lines = partial(fold_lines, loaded, chosen, folds, workers)
            scored, file = evaluate_folds(lines(), loaded.runs)
            console.print(fold_table(scored), f"figures: {file}")
            if sections:
                ablation, file = ablate_folds(lines(), loaded.runs, sections)
                console.print(contribution_table(ablation), f"ablation: {file}")
        return
    with _working(config, settings, engine, cluster) as line:
        _show(line.evaluate())
        if sections:
            ablation, file = ablate_run(line, sections)
            console.print(contribution_table(ablation), f"ablation: {file}")


@app.command()
def tune(
    config: ConfigFile,
    settings: Settings = None,
    engine: EngineChoice = None,
    at: Annotated[str, typer.Option(help="Place of the ranker xgboost in the config.")] = "ranker",
    trials: Annotated[int, typer.Option(min=1, help="Fits at most; the first is the config as it is.")] = 20,
    minutes: Annotated[float | None, typer.Option(min=0, help="No trial is begun after so many.")] = None,
) -> None:
    """Search for better settings of the trees on weeks before the last one."""
    try:
        from hmgpu.tuning import tune_trees, tuning_table
    except ModuleNotFoundError as error:
        raise ConfigError(f"tune needs {error.name}, which is not installed: pip install 'hmgpu[tune]'.") from None
    loaded = load_config(config, settings)
    scored, file = tune_trees(config, settings or [], at, trials, minutes, Engine.choose(engine or loaded.engine))
    console.print(tuning_table(scored), f"trials: {file}")


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="RUN_A", help="A run's folder, or the file of `evaluate --folds`.")],
    second: Annotated[Path, typer.Argument(metavar="RUN_B", help="The one to compare with it.")],
    output: Annotated[Path | None, typer.Option("--output", help="Also write the figures here, as JSON.")] = None,
) -> None:
    """Say which of two runs ranks better, on the same customers, and how surely."""
    from hmgpu.comparison import Judged, comparison_tables
    from hmgpu.comparison import compare as compared

    found = compared(Judged.read(first), Judged.read(second))
    if output:
        write_json(output, found)
    console.print(*comparison_tables(found))


@app.command()
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
    with _working(config, settings, engine, cluster) as line:
        steps = line.recommend()
    console.print(f"recommendations: {steps[0].folder.parent}")


@app.command()
def submit(
    config: ConfigFile, settings: Settings = None, engine: EngineChoice = None, cluster: ClusterChoice = None
) -> None:
    """Write the recommendations as Kaggle takes them."""
    with _working(config, settings, engine, cluster) as line:
        submission = line.submit()
    console.print(f"submission: {submission}")


@app.command("export")
def export_verb(
    source: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run.")] = CURRENT_RUN,
    out: Annotated[Path, typer.Option("--out", help="Folder to make: new, or an earlier export.")] = Path("export"),
) -> None:
    """Write model, encoders, vectors and lists of a finished run in open formats."""
    files = export(FinishedRun.open(source), out)
    console.print(f"exported: {out} ({len(files)} files and their manifest)", soft_wrap=True)


@app.command()
def run(
    config: ConfigFile, settings: Settings = None, engine: EngineChoice = None, cluster: ClusterChoice = None
) -> None:
    """All of it: ingest, train, evaluate, recommend, submit; then make the run the current one."""
    _run(load_config(config, settings), engine, cluster)


@app.command()
def demo(
    config: ConfigFile = DEMO,
    settings: Settings = None,
    engine: EngineChoice = None,
    cluster: ClusterChoice = None,
    scale: Annotated[float, typer.Option(min=1e-4, help="Of the generated data; 1.0 is the size of H&M's.")] = 0.02,
    seed: Annotated[int, typer.Option(min=0, help="Of the generated data.")] = 1,
) -> None:
    """All of it on data that it generates itself."""
    loaded = load_config(config, settings)
    if is_vacant(loaded.data.raw):
        synth(loaded.data.raw, scale, seed)
    _run(loaded, engine, cluster)


@app.command("retrain")
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

    loaded = load_config(config, settings)
    chosen = Engine.choose(engine or loaded.engine)
    with hired(cluster, chosen) as workers, progress("append") as report:
        record = retrain(loaded, week, chosen, workers, report)
    console.print(f"{record.outcome}: {record.reason}\nhistory: {loaded.runs / PAGE}", soft_wrap=True)
    if record.exit_code:
        raise typer.Exit(record.exit_code)


@app.command("promote")
def promote_verb(run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")]) -> None:
    """Make a finished run the current one, after a look at every file of it."""
    with exclusively(run.parent):
        link = promote(run)
    console.print(f"current run: {link} -> {link.readlink()}", soft_wrap=True)


@app.command("rollback")
def rollback_verb(runs: RunsFolder = Path("runs")) -> None:
    """Make the run current again that was so before."""
    with exclusively(runs):
        link = rollback(runs)
    console.print(f"current run: {link} -> {link.readlink()}", soft_wrap=True)


@app.command("runs")
def runs_verb(runs: RunsFolder = Path("runs")) -> None:
    """List the runs, oldest data first."""
    console.print(runs_table(inventory(runs)))


@app.command("prune")
def prune_verb(
    runs: RunsFolder = Path("runs"),
    keep: Annotated[int, typer.Option(min=1, help="Runs that stay, the newest; the current one stays anyway.")] = 8,
) -> None:
    """Remove old runs, but never the current one or the one to roll back to."""
    with exclusively(runs):
        removed = prune(runs, keep)
    console.print("\n".join(f"removed: {folder.name}" for folder in removed) or "nothing to remove")


def main() -> None:
    """Runs the command line; what a user can mend (files and disks among it) is a sentence, with exit status 1.

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


def _complain(problem: str) -> None:
    problem = problem.encode(errors="backslashreplace").decode()  # a file's name may be bytes that are no text
    console.print(f"Error: {problem}", style="red", highlight=False, soft_wrap=True)


def _run(config: Config, engine: Choice | None, cluster: str | None) -> None:
    from hmgpu.pipeline import Pipeline

    chosen = Engine.choose(engine or config.engine)
    raw = config.data.raw
    if not is_vacant(raw) or not (config.data.root / MANIFEST).exists():
        with progress("ingest") as report:
            summary = ingest(config.data, progress=report)
        console.print(str(summary), soft_wrap=True)
    else:
        console.print(f"{raw} holds no files: working with the data set in {config.data.root}", soft_wrap=True)
    with hired(cluster, chosen) as workers, Pipeline.open(config, chosen, workers).working() as line:
        submission = line.finish()
        with exclusively(config.runs):
            current = promote(line.run.folder)
        metrics = line.run.folder / "metrics.json"
    _show(metrics)
    console.print(f"submission: {submission}\ncurrent run: {current} -> {current.readlink()}", soft_wrap=True)


@contextmanager
def _working(
    config: Path, settings: list[str] | None, engine: Choice | None, cluster: str | None = None
) -> Iterator["Pipeline"]:
    from hmgpu.pipeline import Pipeline

    loaded = load_config(config, settings)
    chosen = Engine.choose(engine or loaded.engine)
    with hired(cluster, chosen) as workers, Pipeline.open(loaded, chosen, workers).working() as line:
        yield line


def _show(metrics_file: Path) -> None:
    metrics = json.loads(metrics_file.read_text())
    console.print(strategy_table(metrics), segment_table(metrics), method_table(metrics))
