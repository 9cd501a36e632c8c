"""What makes, reads and describes data, and what can be known before a line works on them."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hmgpu.cli.doctor import examine
from hmgpu.cli.options import EngineChoice, Settings
from hmgpu.core.console import console, progress
from hmgpu.core.engine import Engine
from hmgpu.core.files import write_text
from hmgpu.data import kaggle
from hmgpu.data.explore.page import explore
from hmgpu.data.ingest import append, ingest
from hmgpu.data.settings import DataSettings
from hmgpu.data.store import Store
from hmgpu.data.synthetic import synthesize
from hmgpu.pipeline.config import load_config

app = typer.Typer()
verb = partial(app.command, rich_help_panel="Data")


@verb("ingest")
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
    described = load_config(config, settings or ()).data if config else DataSettings(raw=Path("raw"), root=Path("data"))
    places = {"raw": raw or described.raw, "root": out or described.root}
    given = described.model_copy(update=places)
    with progress("append" if week else "ingest") as report:
        summary = append(given, week, progress=report) if week else ingest(given, replace=replace, progress=report)
    console.print(str(summary), soft_wrap=True)


@verb()
def download(
    out: Annotated[Path, typer.Argument(help="Folder to download into.")],
    images: Annotated[bool, typer.Option(help="Also the pictures (25 GB).")] = False,
) -> None:
    """Download the competition's files with your own Kaggle credentials."""
    kaggle.download(out, images=images)


@verb()
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


@verb()
def doctor(
    engine: EngineChoice = None,
    data: Annotated[Path | None, typer.Option("--data", help="A data set's folder.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="Config that names the data set.")] = None,
) -> None:
    """Say what this machine, this installation and the data folder can do."""
    loaded = load_config(config) if config else None
    root = data or (loaded.data.root if loaded else None)
    console.print(examine(engine or (loaded.engine if loaded else "auto"), root))


@verb("explore")
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
    loaded = load_config(config, settings or ()) if config else None
    root = data or (loaded.data.root if loaded else Path())
    chosen = Engine.choose(engine or (loaded.engine if loaded else "auto"))
    write_text(output, explore(Store(root), chosen))
    console.print(f"page: {output}", soft_wrap=True)
