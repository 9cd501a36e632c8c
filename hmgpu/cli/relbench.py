"""The verb that enters RelBench's H&M tasks."""

from pathlib import Path
from typing import Annotated

import typer

from hmgpu.cli.options import A_CONFIG, ClusterChoice, EngineChoice, Json, Settings, print_json, start_workers
from hmgpu.cli.verbs import verbs
from hmgpu.core.console import console
from hmgpu.core.outputs import refuse_among_inputs

app = typer.Typer()
verb = verbs(app, "Evaluation")
RECIPE = Path("relbench")  # the name of a shipped config


@verb("relbench", "hmgpu relbench", "hmgpu relbench --config relbench-tables --config mine.yaml")
def relbench(
    config: Annotated[
        list[Path] | None,
        typer.Option(
            "--config",
            metavar="CONFIG",
            help=f"YAML config that keeps to RelBench's weeks: {A_CONFIG}. Repeatable: the best in the validation week "
            "is scored on the test week.",
            show_default=str(RECIPE),
        ),
    ] = None,
    settings: Settings = None,
    engine: EngineChoice = None,
    cluster: ClusterChoice = None,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FOLDER", help="Folder to write: a new one, or an earlier entry."),
    ] = Path("relbench/entry"),
    as_json: Json = False,
) -> None:
    """Train and score by RelBench's protocol for H&M, and write its prediction tables."""
    from hmgpu.core.engine import Engine
    from hmgpu.experiments.relbench.entry import write_entry
    from hmgpu.experiments.relbench.shown import entry_table
    from hmgpu.pipeline.config import load_config

    found = {str(name): load_config(name, settings) for name in config or [RECIPE]}
    first = next(iter(found.values()))
    for each in found.values():
        refuse_among_inputs(out, each.data.raw)
    chosen = Engine.choose(engine or first.engine)
    with start_workers(cluster, chosen) as workers:
        said = write_entry(found, chosen, out, workers)
    if as_json:
        print_json(said)
        return
    console.print(entry_table(said))
    console.print(f"prediction tables: {out / 'predictions'}", soft_wrap=True)
