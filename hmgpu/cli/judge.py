"""Verbs that say how good a pipeline is, and what would be better."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hmgpu.cli.options import ClusterChoice, ConfigFile, EngineChoice, Settings, loaded, show, start_workers, working
from hmgpu.cli.verbs import verbs
from hmgpu.core.console import console
from hmgpu.pipeline.shipped_configs import usual_config

app = typer.Typer()
verb = verbs(app, "Evaluation")


@verb("evaluate", "hmgpu evaluate", "hmgpu evaluate --config shop.yaml --folds 4")
def evaluate(
    config: ConfigFile = None,
    settings: Settings = None,
    engine: EngineChoice = None,
    cluster: ClusterChoice = None,
    folds: Annotated[
        int,
        typer.Option(
            "--folds",
            min=0,
            metavar="N",
            help="Score this many of the last weeks, each with a ranker fitted on earlier ones.",
        ),
    ] = 0,
    ablate: Annotated[
        str | None,
        typer.Option(
            "--ablate",
            help="Also score the pipeline without each retriever or feature family in turn, or with other numbers of "
            "negatives, weeks or candidates. Names of these sections, comma-separated.",
        ),
    ] = None,
) -> None:
    """Score candidates and ranker on the validation week, or on each of the last weeks."""
    from hmgpu.evaluation.contributions import contribution_table
    from hmgpu.experiments.ablation import ablate_folds, ablate_run, sections_in
    from hmgpu.experiments.folds import evaluate_folds, fold_pipelines, fold_table

    sections = sections_in(ablate) if ablate is not None else ()
    if folds:
        found, chosen = loaded(config, settings, engine)
        with start_workers(cluster, chosen) as workers:
            pipelines = partial(fold_pipelines, found, chosen, folds, workers)
            scored, file = evaluate_folds(pipelines(), found.runs)
            console.print(fold_table(scored), f"figures: {file}")
            if sections:
                ablation, file = ablate_folds(pipelines(), found.runs, sections)
                console.print(contribution_table(ablation), f"ablation: {file}")
        return
    with working(config, settings, engine, cluster) as pipeline:
        show(pipeline.evaluate())
        if sections:
            ablation, file = ablate_run(pipeline, sections)
            console.print(contribution_table(ablation), f"ablation: {file}")


@verb("compare", "hmgpu compare runs/current runs/2020-09-22-23c60257", "hmgpu compare a.json b.json --out found.json")
def compare(
    first: Annotated[Path, typer.Argument(metavar="RUN_A", help="A run's folder, or the file of `evaluate --folds`.")],
    second: Annotated[Path, typer.Argument(metavar="RUN_B", help="The run to compare it with, likewise.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Also write the figures here, as JSON.")
    ] = None,
) -> None:
    """Report which of two runs ranks better on the same customers, and how certain that is."""
    from hmgpu.core.files import write_json
    from hmgpu.experiments.compare import Judged, comparison_tables
    from hmgpu.experiments.compare import compare as compared

    found = compared(Judged.read(first), Judged.read(second))
    if out:
        write_json(out, found)
    console.print(*comparison_tables(found))


@verb("tune", "hmgpu tune --trials 40", "hmgpu tune --config best --at ranker.then --minutes 60")
def tune(
    config: ConfigFile = None,
    settings: Settings = None,
    engine: EngineChoice = None,
    at: Annotated[
        str, typer.Option("--at", help="Where the ranker `xgboost` is in the config, such as ranker.then in a cascade.")
    ] = "ranker",
    trials: Annotated[
        int, typer.Option("--trials", min=1, help="How many fits at most; the first is of the config as it is.")
    ] = 20,
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0, help="Start no trial after so many minutes.")
    ] = None,
) -> None:
    """Search for better settings of the trees on weeks before the validation week."""
    from hmgpu.experiments.tune import tune_trees, tuning_table

    _, chosen = loaded(config, settings, engine)
    scored, file = tune_trees(config or usual_config(), settings or [], at, trials, minutes, chosen)
    console.print(tuning_table(scored), f"trials: {file}")
