"""Measure hmgpu against the usual ways of doing the same work, side by side on this machine."""

# One verb, one function: parse, call, print. What measures is loaded by the verb: torch and Merlin take seconds.

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hmgpu.cli.options import A_CONFIG, Seed, Settings, refuse_settings_alone
from hmgpu.core.choices import Choice
from hmgpu.core.console import console

if TYPE_CHECKING:
    from hmgpu.benchmark.result import Result
    from hmgpu.benchmark.subject import Subject
    from hmgpu.core.engine import Engine
    from hmgpu.pipeline.config import Config

app = typer.Typer(no_args_is_help=True, help=__doc__)
BASE = "base"  # the shipped config whose parts are measured on synthetic data
SCALE = 0.02

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="CONFIG",
        help=f"Measure on the ingested data set of this YAML config: {A_CONFIG}. Without it: on synthetic data.",
    ),
]
SIZE = "Size of the synthetic data; 1.0 is H&M's."
Scale = Annotated[float | None, typer.Option("--scale", min=1e-4, help=SIZE, show_default=str(SCALE))]
Scales = Annotated[
    list[float] | None, typer.Option("--scale", min=1e-4, help=f"{SIZE} Repeatable.", show_default=str(SCALE))
]
Folder = Annotated[Path | None, typer.Option("--data", help="Keep the synthetic data here, for the next time.")]
Repeats = Annotated[int, typer.Option("--repeats", min=1, help="How many runs of each contender count.")]
EngineChoice = Annotated[
    Choice, typer.Option("--engine", help="Engines to measure; auto: the CPU, and the GPU where there is one.")
]
Output = Annotated[Path | None, typer.Option("--output", help="Also write the result here, as JSON.")]
Plot = Annotated[bool, typer.Option("--plot/--no-plot", help="Also draw what --output writes, as SVG next to it.")]


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
    """Compare NVTabular's workflows with plain pandas, fitting and encoding."""
    _check_plot(output, plot)
    chosen, absent = _engines(engine)
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
        bool, typer.Option("--memory/--no-memory", help="Also the loaders' memory, each in a process of its own.")
    ] = True,
    output: Output = None,
    plot: Plot = True,
) -> None:
    """Compare hmgpu's loader with Merlin's and a plain one, alone and while the two towers train."""
    _check_plot(output, plot)
    chosen, absent = _engines(engine)
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
    memory: Annotated[
        bool, typer.Option("--memory/--no-memory", help="Also the peak of memory, each in a process of its own.")
    ] = True,
    output: Output = None,
    plot: Plot = True,
) -> None:
    """Compare the feature families on CPU and GPU with pandas, at one or several sizes."""
    _check_plot(output, plot)
    chosen, absent = _engines(engine)
    from hmgpu.benchmark.features import benchmark_features

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
    """Compare the retrievers on CPU and GPU; co-purchase rules also as sparse matrix products."""
    _check_plot(output, plot)
    chosen, absent = _engines(engine)
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
    trees: Annotated[
        int, typer.Option("--trees", min=1, help="How many trees to fit; replaces the config's, and none stops early.")
    ] = 200,
    weeks: Annotated[int, typer.Option("--weeks", min=1, help="How many training weeks; replaces the config's.")] = 2,
    output: Output = None,
    plot: Plot = True,
) -> None:
    """Compare fitting XGBoost on CPU and GPU, on the same examples."""
    _check_plot(output, plot)
    chosen, absent = _engines(engine)
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
    repeats: Annotated[
        int, typer.Option("--repeats", min=1, help="How many runs on each engine, none of them a warm-up.")
    ] = 1,
    engine: EngineChoice = "auto",
    output: Output = None,
    plot: Plot = True,
) -> None:
    """Compare the whole pipeline on CPU and GPU, step by step from train to submit."""
    _check_plot(output, plot)
    chosen, absent = _engines(engine)
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
        int, typer.Option("--folds", min=1, help="How many last weeks, each recommended for from what was before it.")
    ] = 4,
    peers: Annotated[str | None, typer.Option("--peers", help="Names, comma-separated.", show_default="all")] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", help="The folds-….json of an evaluation of these weeks, which is then not repeated."),
    ] = None,
    own: Annotated[bool, typer.Option("--pipeline/--no-pipeline", help="Also hmgpu's own pipeline.")] = True,
    engine: Annotated[
        Choice, typer.Option("--engine", help="Where hmgpu's own pipeline computes; peers always use the CPU.")
    ] = "auto",
    output: Output = None,
) -> None:
    """Compare hmgpu's lists with those of well-known public recommenders, on the same weeks and customers."""
    if against and not own:
        raise typer.BadParameter("--against is an evaluation of hmgpu's own pipeline: it doesn't go with --no-pipeline")
    from hmgpu.benchmark.against_peers import benchmark_peers
    from hmgpu.benchmark.peer_runs import named
    from hmgpu.core.engine import Engine

    chosen, names = Engine.choose(engine), named(peers)
    with _with_parts(config, settings, scale, seed, data) as subject:
        _show(benchmark_peers(subject, chosen, names, folds, against, own), output)


@app.command("plot")
def plot_verb(
    result: Annotated[Path, typer.Argument(help="A file that --output wrote.", metavar="RESULT.json")],
) -> None:
    """Draw a result again, as SVG next to it."""
    from hmgpu.benchmark.plot import plot

    console.print(f"plot: {plot(result)}", soft_wrap=True)


def _engines(choice: Choice) -> tuple[list["Engine"], dict[str, str]]:
    """The engines to measure, and those that can't run with the reason."""
    from hmgpu.benchmark.engines import engines

    return engines(choice)


@contextmanager
def _subject(
    config: Path | None, settings: list[str] | None, scale: float | None, seed: int, folder: Path | None
) -> Iterator["Subject"]:
    """The subject of benchmarks of models, which work on synthetic data with the models' default settings."""
    refuse_settings_alone(config, settings)
    with _data(config, settings, scale, seed, folder, None) as subject:
        yield subject


@contextmanager
def _with_parts(
    config: Path | None, settings: list[str] | None, scale: float | None, seed: int, folder: Path | None
) -> Iterator["Subject"]:
    """The subject of benchmarks of a config's parts: those of the given one, or of `base` on synthetic data."""
    from hmgpu.pipeline.config import load_config

    parts = None if config else load_config(BASE, settings)
    with _data(config, settings, scale, seed, folder, parts) as subject:
        yield subject


def _subjects(
    config: Path | None, settings: list[str] | None, scales: list[float] | None, seed: int, folder: Path | None
) -> Iterator["Subject"]:
    """Subjects one after the other, so that no more than one synthetic data set is kept at a time."""
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
    parts: "Config | None",
) -> Iterator["Subject"]:
    if config and (scale is not None or folder):
        raise typer.BadParameter("--scale and --data are about synthetic data: they don't go with --config")
    from hmgpu.benchmark.subject import configured, generated

    if config:
        yield configured(config, settings)
        return
    with generated(SCALE if scale is None else scale, seed, folder, parts) as subject:
        yield subject


def _check_plot(output: Path | None, plot: bool) -> None:
    """Raise PlotError, before a long measurement, where there is nothing to draw its result with."""
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
