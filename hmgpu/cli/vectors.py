"""What puts vectors of the articles into a data set."""

from pathlib import Path
from typing import Annotated

import typer

from hmgpu.cli.options import EngineChoice, Settings
from hmgpu.core.console import console, progress
from hmgpu.core.engine import Engine
from hmgpu.data.store import Store
from hmgpu.data.tables import VectorsOf
from hmgpu.pipeline.config import load_config

app = typer.Typer()


@app.command("vectors", rich_help_panel="Data")
def vectors_verb(
    of: Annotated[VectorsOf, typer.Argument(help="Each article's picture, or its name and description.")],
    model: Annotated[
        str | None, typer.Option("--model", help="Encoder: a folder, or a sentence-transformers model of the hub.")
    ] = None,
    given: Annotated[
        Path | None, typer.Option("--from", help="Parquet of vectors you have: article_id, vector (list of floats).")
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", help="Config that names the data set.")] = None,
    settings: Settings = None,
    data: Annotated[Path | None, typer.Option("--data", help="A data set's folder, instead of a config.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Articles encoded at once.")] = 64,
    engine: EngineChoice = None,
) -> None:
    """Put vectors of the articles' pictures or texts into a data set, for `content`."""
    if (model is None) == (given is None):
        raise typer.BadParameter("name either an encoder by --model or a file by --from")
    if (config is None) == (data is None):
        raise typer.BadParameter("name the data set by either --config or --data")
    if settings and not config:
        raise typer.BadParameter("--set goes over the config, so it needs --config")
    from hmgpu.data.vectors.make import make, take

    loaded = load_config(config, settings or ()) if config else None
    store = Store(data or (loaded.data.root if loaded else Path()))
    if given:
        kept = take(store, of, given)
    else:
        chosen = Engine.choose(engine or (loaded.engine if loaded else "auto"))
        with progress("encode") as report:
            kept = make(store, of, model or "", chosen, batch, report)
    whose = f"{of} of {kept.articles:,} of {store.manifest.articles:,} articles"
    made = f"{kept.dimensions} numbers each, by {kept.made_by}"
    console.print(f"vectors: {store.root / kept.file} ({whose}, {made})", soft_wrap=True)
