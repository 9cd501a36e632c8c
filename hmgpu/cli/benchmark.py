"""Measure hmgpu against the ordinary way of doing the same, side by side on this machine."""

# One verb, one function: parse, call, print. What measures is loaded by the verb: torch and Merlin take seconds.

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hmgpu.benchmark.engines import engines
from hmgpu.benchmark.subject import Subject, configured, generated
from hmgpu.core.console import console
from hmgpu.core.engine import Choice, Engine
from hmgpu.pipeline.config import Config, load_config

if TYPE_CHECKING:
    from hmgpu.benchmark.result import Result

app = typer.Typer(no_args_is_help=True, help=__doc__)
BASE = Path("configs/base.yaml")  # its parts are measured on generated data
SCALE = 0.02

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="Measure on the ingested data set of this config; else data are generated."),
]
Settings = Annotated[list[str] | None, typer.Option("--set", help="key.key=value, put over the config; repeatable.")]
Scale = Annotated[float | None, typer.Option(min=1e-4, help="Of the generated data; 0.02 unless given. 1.0 is H&M's.")]
Scales = Annotated[
    list[float] | None, typer.Option("--scale", min=1e-4, help="Of the generated data; repeatable. 0.02 unless given.")
]
Seed = Annotated[int, typer.Option(min=0, help="Of the generated data and of all that is drawn.")]
Folder = Annotated[Path | None, typer.Option("--data", help="Keep generated data here, for the next time.")]
Repeats = Annotated[int, typer.Option(min=1, help="Counted runs of each contender.")]
EngineChoice = Annotated[Choice, typer.Option("--engine", help="cpu, gpu, or auto: both where there is a GPU.")]
EngineOfLine = Annotated[Choice, typer.Option("--engine", help="What hmgpu's line runs on; peers run on the CPU.")]
Output = Annotated[Path | None, typer.Option("--output", help="Also write the result here, as JSON.")]
Plot = Annotated[bool, typer.Option(help="Also draw what --output writes, as SVG beside it.")]


@app.command("encode")
def encode_verb(
    config: ConfigFile = None,
    settings: Settings = None,
    scale: Scale = None,
    seed: Seed = 1,
    data: Folder = None,
    repeats: Repeats = 5,
    engine: EngineChoice = "auto",
    output: Output = None,
    plot: Plot = True,
) -> None:
    """NVTabular's workflows against plain pandas, fitting and encoding."""
    _check_plot(output, plot)
    chosen, absent = engines(engine)
    with _subject(config, settings, scale, seed, data) as subject:
        from hmgpu.benchmark.encode import benchmark_encode

        _show(benchmark_encode(subject, chosen, absent, repeats), output, plot)


@app.command("two-tower")
def two_tower_verb(
    config: ConfigFile = None,
    settings: Settings = None,
    scale: Scale = None,
    seed: Seed = 1,
    data: Folder = None,
    repeats: Repeats = 5,
    engine: EngineChoice = "auto",
    memory: Annotated[
        bool, typer.Option(help="Also what loaders hold in memory, each in a process of its own.")
    ] = True,
    output: Output = None,
    plot: Plot = True,
) -> None:
    """hmgpu's loader against Merlin's and a plain one, alone and feeding the training of the two towers."""
    _check_plot(output, plot)
    chosen, absent = engines(engine)
    with _subject(config, settings, scale, seed, data) as subject:
        from hmgpu.benchmark.two_tower import benchmark_two_tower

        _show(benchmark_two_tower(subject, chosen, absent, repeats, memory), output, plot)


@app.command("features")
def features_verb(
    config: ConfigFile = None,
    settings: Settings = None,
    scale: Scales = None,
    seed: Seed = 1,
    data: Folder = None,
    repeats: Repeats = 3,
    engine: EngineChoice = "auto",
    memory: Annotated[bool, typer.Option(help="Also the peak of memory, each in a process of its own.")] = True,
    output: Output = None,
    plot: Plot = True,
) -> None:
    """The feature families' plans on CPU and GPU against pandas, at one or several sizes."""
    from hmgpu.benchmark.features import benchmark_features

    _check_plot(output, plot)
    chosen, absent = engines(engine)
    subjects = _subjects(config, settings, scale, seed, data)
    _show(benchmark_features(subjects, chosen, absent, repeats, memory), output, plot)


@app.command("candidates")
def candidates_verb(
    config: ConfigFile = None,
    settings: Settings = None,
    scale: Scale = None,
    seed: Seed = 1,
    data: Folder = None,
    repeats: Repeats = 3,
    engine: EngineChoice = "auto",
    output: Output = None,
    plot: Plot = True,
) -> None:
    """The retrievers' plans on CPU and GPU; co-purchase rules also as sparse matrix products."""
    _check_plot(output, plot)
    chosen, absent = engines(engine)
    with _with_parts(config, settings, scale, seed, data) as subject:
        from hmgpu.benchmark.candidates import benchmark_candidates

        _show(benchmark_candidates(subject, chosen, absent, repeats), output, plot)


@app.command("train")
def train_verb(
    config: ConfigFile = None,
    settings: Settings = None,
    scale: Scale = None,
    seed: Seed = 1,
    data: Folder = None,
    repeats: Repeats = 3,
    engine: EngineChoice = "auto",
    trees: Annotated[int, typer.Option(min=1, help="Trees, whatever the config says and however they do.")] = 200,
    weeks: Annotated[int, typer.Option(min=1, help="Training weeks.")] = 2,
    output: Output = None,
    plot: Plot = True,
) -> None:
    """Fitting XGBoost on CPU and GPU, on the same examples."""
    _check_plot(output, plot)
    chosen, absent = engines(engine)
    with _with_parts(config, settings, scale, seed, data) as subject:
        from hmgpu.benchmark.train import benchmark_train

        _show(benchmark_train(subject, chosen, absent, repeats, trees, weeks), output, plot)


@app.command("pipeline")
def pipeline_verb(
    config: ConfigFile = None,
    settings: Settings = None,
    scale: Scale = None,
    seed: Seed = 1,
    data: Folder = None,
    repeats: Annotated[int, typer.Option(min=1, help="Runs on each engine, none of them a warm-up.")] = 1,
    engine: EngineChoice = "auto",
    output: Output = None,
    plot: Plot = True,
) -> None:
    """The whole line from train to submit on CPU and GPU, step by step."""
    _check_plot(output, plot)
    chosen, absent = engines(engine)
    with _with_parts(config, settings, scale, seed, data) as subject:
        from hmgpu.benchmark.pipeline import benchmark_pipeline

        _show(benchmark_pipeline(subject, chosen, absent, repeats), output, plot)


@app.command("peers")
def peers_verb(
    config: ConfigFile = None,
    settings: Settings = None,
    scale: Scale = None,
    seed: Seed = 1,
    data: Folder = None,
    folds: Annotated[
        int, typer.Option(min=1, help="The last weeks, each recommended for from what was before it.")
    ] = 4,
    peers: Annotated[str | None, typer.Option(help="Names with commas between them; all unless given.")] = None,
    against: Annotated[
        Path | None, typer.Option(help="The folds-….json of an evaluation of these weeks, which is then not repeated.")
    ] = None,
    line: Annotated[bool, typer.Option(help="hmgpu's own line too.")] = True,
    engine: EngineOfLine = "auto",
    output: Output = None,
) -> None:
    """How good hmgpu's lists are, beside well-known public recommenders on the same weeks and customers."""
    from hmgpu.benchmark.against_peers import benchmark_peers
    from hmgpu.benchmark.peer_runs import named

    if against and not line:
        raise typer.BadParameter("--against is of hmgpu's own line: it doesn't go with --no-line")
    chosen, names = Engine.choose(engine), named(peers)
    with _with_parts(config, settings, scale, seed, data) as subject:
        _show(benchmark_peers(subject, chosen, names, folds, against, line), output)


@app.command("plot")
def plot_verb(
    result: Annotated[Path, typer.Argument(help="A file that --output wrote.", metavar="RESULT.json")],
) -> None:
    """Draw a result again, as SVG beside it."""
    from hmgpu.benchmark.plot import plot

    console.print(f"plot: {plot(result)}", soft_wrap=True)


@contextmanager
def _subject(
    config: Path | None, settings: list[str] | None, scale: float | None, seed: int, folder: Path | None
) -> Iterator[Subject]:
    """For benchmarks of models, which work on generated data with the models' default settings."""
    if settings and not config:
        raise typer.BadParameter("--set goes over the config, so it needs --config")
    with _data(config, settings, scale, seed, folder, None) as subject:
        yield subject


@contextmanager
def _with_parts(
    config: Path | None, settings: list[str] | None, scale: float | None, seed: int, folder: Path | None
) -> Iterator[Subject]:
    """For benchmarks of a config's parts: of the config that is given, or of configs/base.yaml on generated data."""
    parts = None if config else load_config(BASE, settings or ())
    with _data(config, settings, scale, seed, folder, parts) as subject:
        yield subject


def _subjects(
    config: Path | None, settings: list[str] | None, scales: list[float] | None, seed: int, folder: Path | None
) -> Iterator[Subject]:
    """One after the other, so that no more than one generated world is kept at a time."""
    for scale in scales or (None,):
        with _with_parts(config, settings, scale, seed, folder) as subject:
            yield subject


@contextmanager
def _data(
    config: Path | None,
    settings: list[str] | None,
    scale: float | None,
    seed: int,
    folder: Path | None,
    parts: Config | None,
) -> Iterator[Subject]:
    if config:
        if scale is not None or folder:
            raise typer.BadParameter("--scale and --data are of generated data: they don't go with --config")
        yield configured(config, settings)
        return
    with generated(SCALE if scale is None else scale, seed, folder, parts) as subject:
        yield subject


def _check_plot(output: Path | None, plot: bool) -> None:
    from hmgpu.benchmark.plot import require_matplotlib

    if plot and output:
        require_matplotlib()


def _show(result: "Result", output: Path | None, plot: bool = False) -> None:
    console.print(result.table())
    if output:
        result.write(output, shlex.join(["hmgpu", *sys.argv[1:]]))
        console.print(f"result: {output}", soft_wrap=True)
        if plot:
            plot_verb(output)
