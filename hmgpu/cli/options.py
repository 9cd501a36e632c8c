"""Options that several verbs have, and a line at work by what they say."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hmgpu.core.console import console
from hmgpu.core.engine import Choice, Engine
from hmgpu.evaluation.retrievers import segment_table
from hmgpu.evaluation.tables import method_table, retriever_table
from hmgpu.pipeline.config import load_config
from hmgpu.pipeline.workers import IN_PROCESS, Workers
from hmgpu.runs.publish import CURRENT

if TYPE_CHECKING:
    from hmgpu.pipeline.pipeline import Pipeline

CURRENT_RUN = Path("runs") / CURRENT
ConfigFile = Annotated[Path, typer.Option("--config", help="YAML config; see configs/base.yaml.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="key.key=value, put over the config; repeatable.")]
EngineChoice = Annotated[Choice | None, typer.Option("--engine", help="auto, cpu or gpu; over the config's.")]
RunsFolder = Annotated[Path, typer.Option("--runs", help="Folder of the runs.")]
ClusterChoice = Annotated[
    str | None,
    typer.Option("--cluster", help="Dask workers: how many processes to start here, or a scheduler's tcp:// address."),
]


@contextmanager
def start_workers(where: str | None, engine: Engine) -> Iterator[Workers]:
    """The workers of the cluster `where` (see `dask_workers.cluster`); this process where that is None."""
    if where is None:
        yield IN_PROCESS
        return
    from hmgpu.pipeline.dask_workers import cluster  # Dask takes a second to load

    with cluster(where, engine) as workers:
        yield workers


@contextmanager
def working(
    config: Path, settings: list[str] | None, engine: Choice | None, cluster: str | None = None
) -> Iterator["Pipeline"]:
    """The pipeline of a config, its run kept from others."""
    from hmgpu.pipeline.open import open_pipeline  # loads XGBoost

    loaded = load_config(config, settings or ())
    chosen = Engine.choose(engine or loaded.engine)
    with start_workers(cluster, chosen) as workers, open_pipeline(loaded, chosen, workers).working() as pipeline:
        yield pipeline


def show(metrics_file: Path) -> None:
    """Prints the figures of a `metrics.json`."""
    metrics = json.loads(metrics_file.read_text())
    console.print(retriever_table(metrics), segment_table(metrics), method_table(metrics))
