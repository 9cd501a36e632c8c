"""Options that several verbs have, and what verbs do with them."""

# The modules of this folder load only what is light. Verbs import the rest when they are called, since Polars, pydantic
# and XGBoost take seconds, and nobody should wait for them to read a help text.

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hmgpu.core.choices import Choice
from hmgpu.core.console import console
from hmgpu.pipeline.shipped_configs import shipped
from hmgpu.runs.publish import CURRENT

if TYPE_CHECKING:
    from hmgpu.core.engine import Engine
    from hmgpu.pipeline.config import Config
    from hmgpu.pipeline.pipeline import Pipeline
    from hmgpu.pipeline.workers import Workers

CURRENT_RUN = Path("runs") / CURRENT
A_CONFIG = f"a path, or one of {', '.join(shipped())}"

ConfigFile = Annotated[Path, typer.Option("--config", metavar="CONFIG", help=f"YAML config: {A_CONFIG}.")]
ConfigOfData = Annotated[
    Path | None,
    typer.Option("--config", metavar="CONFIG", help=f"YAML config whose `data` describes the data set: {A_CONFIG}."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY.KEY=VALUE", help="A setting that replaces the config's; repeatable."),
]
EngineChoice = Annotated[Choice | None, typer.Option("--engine", help="Where to compute; replaces the config's.")]
ClusterChoice = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="N|ADDRESS",
        help="Dask workers: how many processes to start here, or a scheduler's tcp:// address.",
    ),
]
DataFolder = Annotated[Path | None, typer.Option("--data", help="Folder of a data set, instead of a config.")]
NewWeek = Annotated[
    Path | None, typer.Option("--append", help="A week to add to the data set: its file, or a folder of raw files.")
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
RunsFolder = Annotated[Path, typer.Option("--runs", help="Folder of the runs.")]


def refuse_settings_alone(config: Path | None, settings: list[str] | None) -> None:
    """Raise BadParameter for settings without a config, which they would have to replace settings of."""
    if settings and not config:
        raise typer.BadParameter("--set replaces settings of a config, so it needs --config")


def loaded(config: Path, settings: list[str] | None, engine: Choice | None) -> tuple["Config", "Engine"]:
    """The config with the settings put over it, and the engine to work on."""
    from hmgpu.core.engine import Engine
    from hmgpu.pipeline.config import load_config

    found = load_config(config, settings)
    return found, Engine.choose(engine or found.engine)


def data_set(
    config: Path | None, settings: list[str] | None, data: Path | None, engine: Choice | None
) -> tuple[Path, Choice]:
    """The folder of the data set that either a config or --data names, and the engine to ask for."""
    refuse_settings_alone(config, settings)
    if (config is None) == (data is None):
        raise typer.BadParameter("name the data set by either --config or --data")
    if data:
        return data, engine or "auto"
    from hmgpu.pipeline.config import load_config

    found = load_config(config or "", settings or ())
    return found.data.root, engine or found.engine


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
    config: Path, settings: list[str] | None, engine: Choice | None, cluster: str | None = None
) -> Iterator["Pipeline"]:
    """The pipeline of a config, its run locked against other processes."""
    from hmgpu.pipeline.open import open_pipeline

    found, chosen = loaded(config, settings, engine)
    with start_workers(cluster, chosen) as workers, open_pipeline(found, chosen, workers).working() as pipeline:
        yield pipeline


def show(metrics_file: Path) -> None:
    """Print the figures of a `metrics.json`."""
    from hmgpu.evaluation.retrievers import segment_table
    from hmgpu.evaluation.tables import method_table, retriever_table

    metrics = json.loads(metrics_file.read_text())
    console.print(retriever_table(metrics), segment_table(metrics), method_table(metrics))
