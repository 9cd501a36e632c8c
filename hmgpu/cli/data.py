"""Verbs that write, read and describe data, and the doctor."""

from pathlib import Path
from typing import Annotated

import typer

from hmgpu.cli.options import (
    ConfigOfData,
    DataFolder,
    EngineChoice,
    Json,
    NewWeek,
    Scale,
    Seed,
    Settings,
    SyntheticCustomers,
    data_set,
    print_json,
)
from hmgpu.cli.verbs import verbs
from hmgpu.core.console import console, messages
from hmgpu.core.outputs import refuse_among_inputs
from hmgpu.core.progress import progress
from hmgpu.pipeline.shipped_configs import OWN, usual_config

app = typer.Typer()
verb = verbs(app, "Data")
RawFolder = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder for the raw files.")]


@verb("init", "hmgpu init raw", "hmgpu init exports --out shop.yaml --data shop")
def init(
    raw: Annotated[Path, typer.Argument(metavar="RAW", help="Folder of the raw files.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The config to write.")] = OWN,
    data: Annotated[Path, typer.Option("--data", metavar="FOLDER", help="Folder of the data set to be.")] = Path(
        "data"
    ),
) -> None:
    """Look at a retailer's own files and write a config for them: columns, formats, price unit, week."""
    from hmgpu.core.errors import ConfigError
    from hmgpu.core.files import write_text
    from hmgpu.data.proposal.proposal import propose

    if out.exists():
        raise ConfigError(f"{out} is there already and stays as it is: name another file with --out.")
    with progress("purchases") as report:
        proposal = propose(raw, data, report)
    write_text(out, proposal.text)
    for what, said in proposal.found.items():
        console.print(f"{what}: {said}", soft_wrap=True)
    for each in proposal.unsure:
        messages.print(f"not sure: {each}", style="yellow", soft_wrap=True)
    how = "" if out == OWN else f" --config {out}"
    console.print(f"config: {out}; look through it, then `hmgpu run{how}`", soft_wrap=True)


@verb("ingest", "hmgpu ingest raw --data data", "hmgpu ingest --config shop.yaml --append 2020-09-23.csv")
def ingest_verb(
    raw: Annotated[
        Path | None, typer.Argument(help="Folder of the raw files.", show_default="the config's data.raw")
    ] = None,
    data: DataFolder = None,
    week: NewWeek = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a data set that was ingested from other files or settings.")
    ] = False,
    rearrange: Annotated[
        bool, typer.Option("--rearrange", help="Write files of an older hmgpu's data set as they are read fastest.")
    ] = False,
    config: ConfigOfData = None,
    settings: Settings = None,
) -> None:
    """Read raw files into a data set, or add a week to it."""
    if week and (raw or replace):
        raise typer.BadParameter("--append adds to a data set: it goes with neither RAW nor --replace")
    if rearrange and (raw or replace or week):
        raise typer.BadParameter("--rearrange reads no raw files: it goes with none of RAW, --append and --replace")
    from hmgpu.data.ingest import append, ingest
    from hmgpu.data.ingest import rearrange as written_again
    from hmgpu.pipeline.config import load_data

    described, _ = load_data(config or usual_config(), settings)
    given = described.model_copy(update={"raw": raw or described.raw, "root": data or described.root})
    if rearrange:
        console.print(written_again.rearrange(given.root), soft_wrap=True)
        return
    with progress("append" if week else "ingest") as report:
        summary = append(given, week, progress=report) if week else ingest(given, replace=replace, progress=report)
    console.print(str(summary), soft_wrap=True)


@verb("download", "hmgpu download", "hmgpu download --out raw --images")
def download(
    out: RawFolder = Path("raw"),
    images: Annotated[bool, typer.Option("--images", help="Also the pictures (25 GB).")] = False,
) -> None:
    """Download the files of Kaggle's H&M competition with your own credentials."""
    refuse_among_inputs(out)
    from hmgpu.data import kaggle

    kaggle.download(out, images=images)


@verb("synth", "hmgpu synth --out synthetic", "hmgpu synth --out synthetic --scale 0.1 --images")
def synth(
    out: RawFolder = Path("raw"),
    scale: Scale = 0.02,
    seed: Seed = 1,
    customers: SyntheticCustomers = None,
    images: Annotated[bool, typer.Option("--images", help="Also a small drawing of every article.")] = False,
    launches: Annotated[
        bool,
        typer.Option("--launches", help="Also when each article is launched, for `data.columns.articles.launched`."),
    ] = False,
) -> None:
    """Generate synthetic data, shaped like H&M's raw files."""
    console.print(generated(out, scale, seed, customers, images, launches), soft_wrap=True)


def generated(
    out: Path, scale: float, seed: int, customers: int | None = None, images: bool = False, launches: bool = False
) -> str:
    """Generate the files in `out`, and say how many rows, customers and articles there are."""
    refuse_among_inputs(out)
    from hmgpu.data.synthetic import synthesize

    with progress("weeks") as report, progress("pictures") as drawing:
        written = synthesize(out, scale, seed, report, customers, images, drawing, launches)
    return f"{out}: " + ", ".join(f"{number:,} {what}" for what, number in written.items())


@verb("doctor", "hmgpu doctor", "hmgpu doctor --engine gpu --data data")
def doctor(
    engine: EngineChoice = None,
    data: DataFolder = None,
    config: ConfigOfData = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Look at this machine, this installation and the data set, and say what to do about faults.

    Exit status 1 where the engine or the data set that is asked for is not there.
    """
    from dataclasses import asdict

    from hmgpu.cli.doctor import examine, findings_table

    asked = bool(data or config or settings)
    root, choice, _ = data_set(config, settings, data, engine)
    findings = examine(choice, root, asked)
    if as_json:
        print_json([asdict(each) for each in findings])
    else:
        console.print(findings_table(findings))
    if any(each.ok is False for each in findings):
        raise typer.Exit(1)


@verb("explore", "hmgpu explore --data data", "hmgpu explore --config shop.yaml --out shop.html")
def explore_verb(
    config: ConfigOfData = None,
    settings: Settings = None,
    data: DataFolder = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The page to write.")] = Path("explore.html"),
    engine: EngineChoice = None,
) -> None:
    """Describe a data set on one page: sales, customers, articles, seasons, prices."""
    root, choice, raw = data_set(config, settings, data, engine)
    refuse_among_inputs(out, raw)
    from hmgpu.core.engine import Engine
    from hmgpu.core.files import write_text
    from hmgpu.data.explore.page import explore
    from hmgpu.data.store import Store

    chosen = Engine.choose(choice)
    write_text(out, explore(Store(root), chosen))
    console.print(f"page: {out}", soft_wrap=True)
