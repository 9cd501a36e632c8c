"""The verb that puts vectors of the articles into a data set."""

from pathlib import Path
from typing import Annotated

import typer

from hmgpu.cli.options import ConfigOfData, DataFolder, EngineChoice, Settings, data_set
from hmgpu.cli.verbs import verbs
from hmgpu.core.console import console
from hmgpu.core.progress import progress
from hmgpu.core.words import counted
from hmgpu.data.choices import VectorsOf

app = typer.Typer()
verb = verbs(app, "Data")


@verb(
    "vectors",
    "hmgpu vectors text --model all-MiniLM-L6-v2",
    "hmgpu vectors pictures --model resnet50.a1_in1k --data data",
)
def vectors_verb(
    of: Annotated[VectorsOf, typer.Argument(help="Each article's picture, or its name and description.")],
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="ENCODER",
            help="Encoder: a model of timm (pictures) or sentence-transformers, its folder, or a file of weights.",
        ),
    ] = None,
    architecture: Annotated[
        str | None,
        typer.Option("--architecture", metavar="NAME", help="The timm model that a file of weights belongs to."),
    ] = None,
    given: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="FILE", help="Parquet of your own vectors: article_id, vector (list of floats)."
        ),
    ] = None,
    config: ConfigOfData = None,
    settings: Settings = None,
    data: DataFolder = None,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Articles to encode at once.")] = 64,
    engine: EngineChoice = None,
) -> None:
    """Put vectors of the articles' pictures or texts into a data set, for the retriever `content`."""
    if (model is None) == (given is None):
        raise typer.BadParameter("name either an encoder with --model or a file with --from")
    if given and architecture:
        raise typer.BadParameter("--architecture says what a file of weights belongs to: it goes with --model alone")
    root, choice, _ = data_set(config, settings, data, engine)
    from hmgpu.core.engine import Engine
    from hmgpu.data.store import Store
    from hmgpu.data.vectors.encode import compute_vectors
    from hmgpu.data.vectors.given import take_vectors

    store = Store(root)
    if given:
        kept = take_vectors(store, of, given)
    else:
        chosen = Engine.choose(choice)
        with progress("encode") as report:
            kept = compute_vectors(store, of, model or "", chosen, batch, report, architecture)
    whose = f"{of} of {kept.articles:,} of {counted(store.manifest.articles, 'article')}"
    what = f"{kept.dimensions} numbers each, by {kept.made_by}"
    console.print(f"vectors: {store.root / kept.file} ({whose}, {what})", soft_wrap=True)
