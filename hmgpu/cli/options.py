"""Options that several verbs have, and what verbs do with them."""

# The modules of this folder load only what is light. Verbs import the rest when they are called, since Polars, pydantic
# and XGBoost take seconds, and nobody should wait for them to read a help text.

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from hmgpu.core.choices import Choice
from hmgpu.core.console import console, log_level, write_data
from hmgpu.pipeline.shipped_configs import BASE, OWN, shipped, usual_config
from hmgpu.runs.publish import CURRENT

if TYPE_CHECKING:
    from hmgpu.core.engine import Engine
    from hmgpu.pipeline.config import Config
    from hmgpu.pipeline.pipeline import Pipeline
    from hmgpu.pipeline.workers import Workers

A_CONFIG = f"a path, or one of {', '.join(shipped())}"
USUAL = f"{OWN} in this folder, else {BASE}"

ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="CONFIG", help=f"YAML config: {A_CONFIG}.", show_default=USUAL)
]
ConfigOfData = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="CONFIG",
        help=f"YAML config whose `data` describes the data set: {A_CONFIG}.",
        show_default=USUAL,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY.KEY=VALUE", help="A setting that replaces the config's; repeatable."),
]
EngineChoice = Annotated[
    Choice | None, typer.Option("--engine", help="Where to compute.", show_default="the config's, auto unless set")
]
ClusterChoice = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="N|ADDRESS",
        help="Dask workers: how many processes to start here, or a scheduler's tcp:// address.",
        show_default="this process",
    ),
]
DataFolder = Annotated[
    Path | None,
    typer.Option("--data", metavar="FOLDER", help="Folder of the data set.", show_default="the config's data.root"),
]
NewWeek = Annotated[
    Path | None,
    typer.Option("--append", metavar="PATH", help="A week to add to the data set: its file, or a folder of raw files."),
]
Scale = Annotated[
    float,
    typer.Option(
        "--scale",
        min=1e-4,
        help="Size of the synthetic data; 1.0 is H&M's: 31.8 M rows, 1.37 M customers, 105,542 articles.",
    ),
]
Seed = Annotated[
    int, typer.Option("--seed", min=0, help="Seed of the synthetic data; the same seed gives the same bytes.")
]
SyntheticCustomers = Annotated[
    int | None,
    typer.Option(
        "--customers",
        min=1,
        help="Only so many customers of a shop of that size, as if drawn from all of them.",
        show_default="all that --scale has",
    ),
]
RunsFolder = Annotated[Path, typer.Option("--runs", metavar="FOLDER", help="Folder of the runs.")]
RunFolder = Annotated[
    Path | None,
    typer.Option(
        "--run", metavar="RUN", help="Folder of a finished run.", show_default=f"{CURRENT} in the config's runs"
    ),
]
Details = Annotated[
    bool, typer.Option("--details", help="Also other figures, segments of customers, and what each retriever finds.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say which steps would be computed and which reused.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON to stdout instead of tables.")]


def loaded(config: Path | None, settings: list[str] | None, engine: Choice | None) -> tuple["Config", "Engine"]:
    """The config with the settings put over it, and the engine to work on."""
    from hmgpu.core.engine import Engine
    from hmgpu.core.threads import use_threads
    from hmgpu.pipeline.config import load_config

    found = load_config(config or usual_config(), settings)
    use_threads(found.threads)
    return found, Engine.choose(engine or found.engine)


class DataPlace(NamedTuple):
    """A data set that a verb works on."""

    root: Path
    engine: Choice
    """The engine to ask for."""
    raw: Path
    """The folder of the raw files, which nothing may overwrite; without a config the usual one."""


def data_set(config: Path | None, settings: list[str] | None, data: Path | None, engine: Choice | None) -> DataPlace:
    """The data set that either --data or a config names."""
    if data and (config or settings):
        raise typer.BadParameter("name the data set by either --data or --config, which --set belongs to")
    if data:
        return DataPlace(data, engine or "auto", Path("raw"))
    from hmgpu.data.manifest import NAME
    from hmgpu.data.open_store import open_store
    from hmgpu.pipeline.config import load_data

    found, choice = load_data(config or usual_config(), settings)
    if (found.root / NAME).exists():
        open_store(found)  # refuses settings that the data set was not ingested with
    return DataPlace(found.root, engine or choice, found.raw)


def finished_run(run: Path | None, config: Path | None, settings: list[str] | None) -> Path:
    """The run that --run names, by its folder or its name, else the current run of the config."""
    from hmgpu.runs.find import find_run

    if run and (config or settings):
        raise typer.BadParameter("name the run by either --run or --config, which --set belongs to")
    if run:
        return find_run(run, Path("runs"))
    if not (config or settings or OWN.is_file()):
        return find_run(
            Path("runs") / CURRENT, Path("runs")
        )  # as in `base`, which takes a second to load; a list should come at once
    from hmgpu.pipeline.config_files import read_config

    chosen = config or usual_config()
    runs = read_config(chosen).content.get("runs")
    if settings or not isinstance(runs, str) or runs.startswith("~"):  # what only the whole config tells, in seconds
        from hmgpu.pipeline.config import load_config

        runs = load_config(chosen, settings).runs
    return find_run(Path(runs) / CURRENT, Path(runs))


@contextmanager
def start_workers(where: str | None, engine: "Engine") -> Iterator["Workers"]:
    """The workers of the cluster `where` (see `dask_workers.cluster`); this process where that is None."""
    if where is None:
        from hmgpu.pipeline.workers import IN_PROCESS

        yield IN_PROCESS
        return
    from hmgpu.pipeline.dask_workers import cluster

    with cluster(where, engine) as workers:
        yield workers


@contextmanager
def working(
    config: Path | None, settings: list[str] | None, engine: Choice | None, cluster: str | None = None
) -> Iterator["Pipeline"]:
    """The pipeline of a config, its run locked against other processes."""
    from hmgpu.pipeline.open import open_pipeline

    found, chosen = loaded(config, settings, engine)
    with start_workers(cluster, chosen) as workers, open_pipeline(found, chosen, workers).working() as pipeline:
        yield pipeline


def show_plan(config: "Config", engine: "Engine", whole: bool, as_json: bool = False) -> None:
    """Print which steps of an evaluation, or of the `whole` pipeline, would be computed and which reused."""
    from hmgpu.pipeline.open import open_pipeline
    from hmgpu.runs.plan import PlannedRun, plan_facts, plan_table

    log_level(quiet=True, verbose=False)  # it would tell of steps that are only looked up
    pipeline = open_pipeline(config, engine, kind=PlannedRun)
    pipeline.evaluate()
    if whole:
        pipeline.submit()
    assert isinstance(pipeline.run, PlannedRun)
    facts = plan_facts(pipeline.run.planned, config.memory_gb)
    if as_json:
        print_json(facts)
    else:
        console.print(plan_table(facts))
        console.print(f"run: {pipeline.run.folder}", soft_wrap=True)


def show(metrics_file: Path, details: bool = False, as_json: bool = False) -> None:
    """Print the figures of a `metrics.json`."""
    from hmgpu.evaluation.tables import detail_tables, main_table

    metrics = json.loads(metrics_file.read_text(encoding="utf-8"))
    if as_json:
        print_json(metrics)
    else:
        console.print(main_table(metrics), *(detail_tables(metrics) if details else ()))


def print_json(found: Any) -> None:
    """Write anything that JSON can hold to stdout."""
    write_data(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
