"""How good a line is, and what would be better."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hmgpu.cli.options import ClusterChoice, ConfigFile, EngineChoice, Settings, show, start_workers, working
from hmgpu.core.console import console
from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.core.files import write_json
from hmgpu.evaluation.contributions import contribution_table
from hmgpu.pipeline.config import load_config

app = typer.Typer()
verb = partial(app.command, rich_help_panel="Figures")


@verb()
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
    from hmgpu.experiments.ablation import ablate_folds, ablate_run, sections_in
    from hmgpu.experiments.folds import evaluate_folds, fold_pipelines, fold_table

    sections = sections_in(ablate) if ablate is not None else ()
    if folds:
        loaded = load_config(config, settings or ())
        chosen = Engine.choose(engine or loaded.engine)
        with start_workers(cluster, chosen) as workers:
            lines = partial(fold_pipelines, loaded, chosen, folds, workers)
            scored, file = evaluate_folds(lines(), loaded.runs)
            console.print(fold_table(scored), f"figures: {file}")
            if sections:
                ablation, file = ablate_folds(lines(), loaded.runs, sections)
                console.print(contribution_table(ablation), f"ablation: {file}")
        return
    with working(config, settings, engine, cluster) as pipeline:
        show(pipeline.evaluate())
        if sections:
            ablation, file = ablate_run(pipeline, sections)
            console.print(contribution_table(ablation), f"ablation: {file}")


@verb()
def compare(
    first: Annotated[Path, typer.Argument(metavar="RUN_A", help="A run's folder, or the file of `evaluate --folds`.")],
    second: Annotated[Path, typer.Argument(metavar="RUN_B", help="The one to compare with it.")],
    output: Annotated[Path | None, typer.Option("--output", help="Also write the figures here, as JSON.")] = None,
) -> None:
    """Say which of two runs ranks better, on the same customers, and how surely."""
    from hmgpu.experiments.compare import Judged, comparison_tables
    from hmgpu.experiments.compare import compare as compared

    found = compared(Judged.read(first), Judged.read(second))
    if output:
        write_json(output, found)
    console.print(*comparison_tables(found))


@verb()
def tune(
    config: ConfigFile,
    settings: Settings = None,
    engine: EngineChoice = None,
    at: Annotated[str, typer.Option(help="Place of the ranker xgboost in the config.")] = "ranker",
    trials: Annotated[int, typer.Option(min=1, help="Fits at most; the first is the config as it is.")] = 20,
    minutes: Annotated[float | None, typer.Option(min=0, help="No trial is begun after so many.")] = None,
) -> None:
    """Search for better settings of the trees on weeks before the validation week."""
    try:
        from hmgpu.experiments.tune import tune_trees, tuning_table
    except ModuleNotFoundError as error:
        raise ConfigError(f"tune needs {error.name}, which is not installed: pip install 'hmgpu[tune]'.") from None
    loaded = load_config(config, settings or ())
    scored, file = tune_trees(config, settings or [], at, trials, minutes, Engine.choose(engine or loaded.engine))
    console.print(tuning_table(scored), f"trials: {file}")
