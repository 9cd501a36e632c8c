"""The verb that writes the table of all models."""

from pathlib import Path
from typing import Annotated

import typer

from hmgpu.cli.options import ClusterChoice, ConfigFile, EngineChoice, Settings, working
from hmgpu.cli.verbs import verbs
from hmgpu.core.console import console
from hmgpu.core.outputs import refuse_among_inputs
from hmgpu.core.words import counted

app = typer.Typer()
verb = verbs(app, "Pipeline")


@verb("table", "hmgpu table --config shop.yaml", "hmgpu table --week 2020-09-09 --week 2020-09-16 --out table")
def table(
    config: ConfigFile = None,
    settings: Settings = None,
    engine: EngineChoice = None,
    cluster: ClusterChoice = None,
    week: Annotated[
        list[str] | None,
        typer.Option(
            "--week",
            metavar="YYYY-MM-DD",
            help="First day of a week, also of the one after the data; repeatable.",
            show_default="the training weeks and the validation week",
        ),
    ] = None,
    keys: Annotated[
        bool, typer.Option("--keys", help="Number customers and articles, instead of repeating their ids.")
    ] = False,
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="FOLDER", help="Folder to write: a new one, or an earlier table, which is replaced."
        ),
    ] = Path("table"),
) -> None:
    """Write all candidates of some weeks with every model's score and rank, all features and what was bought."""
    from hmgpu.pipeline.asked import asked_weeks
    from hmgpu.pipeline.table import write_table

    with working(config, settings, engine, cluster) as pipeline:
        refuse_among_inputs(out, pipeline.config.data.raw)
        files = write_table(pipeline, asked_weeks(pipeline, week), out, ids=not keys)
    console.print(f"table: {out} ({counted(len(files), 'file')} and their manifest)", soft_wrap=True)
