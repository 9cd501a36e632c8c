"""Verbs that say how good a pipeline is, and what would be better."""

import json
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from hmgpu.cli.options import (
    A_CONFIG,
    ClusterChoice,
    ConfigFile,
    Details,
    DryRun,
    EngineChoice,
    Json,
    RunFolder,
    RunsFolder,
    Settings,
    finished_run,
    loaded,
    print_json,
    show_plan,
    start_workers,
    working,
)
from hmgpu.cli.verbs import verbs
from hmgpu.core.console import console
from hmgpu.core.outputs import refuse_among_inputs
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
    details: Details = False,
    as_json: Json = False,
    dry_run: DryRun = False,
) -> None:
    """Score candidates and ranker on the validation week, or on each of the last weeks."""
    from hmgpu.evaluation.contributions import contribution_table
    from hmgpu.evaluation.tables import detail_tables, main_table
    from hmgpu.experiments.ablation import ablate_folds, ablate_run, sections_in
    from hmgpu.experiments.folds import evaluate_folds, fold_pipelines, fold_table
    from hmgpu.pipeline.tracking import track_folds, track_week

    sections = sections_in(ablate) if ablate is not None else ()
    if dry_run:
        if folds or sections:
            raise typer.BadParameter("--dry-run goes with neither --folds nor --ablate")
        show_plan(*loaded(config, settings, engine), whole=False, as_json=as_json)
        return
    files = []
    if folds:
        found, chosen = loaded(config, settings, engine)
        with start_workers(cluster, chosen) as workers:
            pipelines = partial(fold_pipelines, found, chosen, folds, workers)
            scored, file = evaluate_folds(pipelines(), found.runs)
            track_folds(found, "evaluate", scored, file)
            tables, files = [fold_table(scored)], [f"figures: {file}"]
            if sections:
                scored["ablation"], file = ablate_folds(pipelines(), found.runs, sections)
    else:
        with working(config, settings, engine, cluster) as pipeline:
            metrics = pipeline.evaluate()
            track_week(pipeline, "evaluate", metrics)
            scored = json.loads(metrics.read_text(encoding="utf-8"))
            tables = [main_table(scored), *(detail_tables(scored) if details else ())]
            if sections:
                scored["ablation"], file = ablate_run(pipeline, sections)
    if sections:
        tables.append(contribution_table(scored["ablation"]))
        files.append(f"ablation: {file}")
    if as_json:
        print_json(scored)
    else:
        console.print(*tables)
        console.print("\n".join(files), soft_wrap=True)


@verb("backtest", "hmgpu backtest base best", "hmgpu backtest base shop.yaml --folds 8 --set weeks.train=4")
def backtest(
    configs: Annotated[
        list[str], typer.Argument(metavar="CONFIG...", help=f"YAML configs: {A_CONFIG}.", show_default=False)
    ],
    settings: Settings = None,
    engine: EngineChoice = None,
    folds: Annotated[
        int,
        typer.Option(
            "--folds",
            min=1,
            metavar="N",
            help="Score this many of the last weeks, each with rankers fitted on earlier ones.",
        ),
    ] = 4,
    frontier: Annotated[
        bool,
        typer.Option("--frontier", help="Of one config: what variety costs, by ranking its ranker's lists again."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Score several configs on the same last weeks, side by side."""
    from hmgpu.experiments.backtests import backtests, backtests_table

    if frontier:
        from hmgpu.experiments.frontier import frontier_table, measure_frontier

        if len(configs) > 1:
            raise typer.BadParameter("--frontier ranks the lists of one config again: name one")
        found, file = measure_frontier(*loaded(Path(configs[0]), settings, engine), folds)
        if as_json:
            print_json(found)
        else:
            console.print(frontier_table(found))
            console.print(f"figures: {file}\npage: {file.with_suffix('.html')}", soft_wrap=True)
        return
    found, file = backtests(configs, folds, settings or [], engine)
    if as_json:
        print_json(found)
    else:
        console.print(backtests_table(found))
        console.print(f"figures: {file}\npage: {file.with_suffix('.html')}", soft_wrap=True)


@verb("compare", "hmgpu compare runs/current runs/2020-09-22-23c60257", "hmgpu compare a.json b.json --out found.json")
def compare(
    first: Annotated[Path, typer.Argument(metavar="RUN_A", help="A run's folder, or the file of `evaluate --folds`.")],
    second: Annotated[Path, typer.Argument(metavar="RUN_B", help="The run to compare it with, likewise.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Also write the figures here, as JSON.")
    ] = None,
    as_json: Json = False,
    runs: RunsFolder = Path("runs"),
) -> None:
    """Report which of two runs ranks better on the same customers, and how certain that is."""
    from hmgpu.core.files import write_result
    from hmgpu.experiments.compare import Judged, comparison_tables
    from hmgpu.experiments.compare import compare as compared
    from hmgpu.runs.find import find_run

    places = [place if place.is_file() else find_run(place, runs) for place in (first, second)]
    judged = Judged.read(places[0]), Judged.read(places[1])
    if out:
        for each in judged:
            refuse_among_inputs(out, each.settings.get("data", {}).get("raw"))
    found = compared(*judged)
    if out:
        write_result(out, found, ("runs",))
    if as_json:
        print_json(found)
    else:
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


@verb("open", "hmgpu open", "hmgpu open runs --config shop.yaml")
def open_verb(
    page: Annotated[
        Literal["report", "runs", "retrains"],
        typer.Argument(help="A run's report, all runs side by side, or the history of all retrains."),
    ] = "report",
    run: RunFolder = None,
    config: ConfigFile = None,
    settings: Settings = None,
) -> None:
    """Open a page about a run in the browser, and print its path."""
    import webbrowser

    from hmgpu.core.errors import RunError
    from hmgpu.runs.index import INDEX

    folder = finished_run(run, config, settings)
    pages = {
        "report": (folder / "report.html", "evaluate"),
        "runs": (folder.parent / INDEX, "evaluate"),
        "retrains": (folder.parent / "retrains.html", "retrain"),
    }
    file, verb = pages[page]
    if not file.is_file():
        raise RunError(f"There is no {file}: `hmgpu {verb}` writes it; or name another run with --run.")
    if console.is_terminal:
        # The page leads to files next to it, so it is opened where it is shown, not where its link leads.
        place = file.parent.resolve() / file.name
        with suppress(webbrowser.Error):  # a machine without a browser
            webbrowser.get().open(place.as_uri())
    console.print(str(file), soft_wrap=True, highlight=False)
