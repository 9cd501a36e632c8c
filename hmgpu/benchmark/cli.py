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
from hmgpu.console import console
from hmgpu.engine import Choice

if TYPE_CHECKING:
    from hmgpu.benchmark.result import Result

app = typer.Typer(no_args_is_help=True, help=__doc__)

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="Measure on the ingested data set of this config; else data are generated."),
]
Settings = Annotated[list[str] | None, typer.Option("--set", help="key.key=value, put over the config; repeatable.")]
Scale = Annotated[float | None, typer.Option(min=1e-4, help="Of the generated data; 0.02 unless given. 1.0 is H&M's.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the generated data and of all that is drawn.")]
Folder = Annotated[Path | None, typer.Option("--data", help="Keep generated data here, for the next time.")]
Repeats = Annotated[int, typer.Option(min=1, help="Counted runs of each contender.")]
EngineChoice = Annotated[Choice, typer.Option("--engine", help="cpu, gpu, or auto: both where there is a GPU.")]
Output = Annotated[Path | None, typer.Option("--output", help="Also write the result here, as JSON.")]


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
) -> None:
    """NVTabular's workflows against plain pandas, fitting and encoding."""
    chosen, absent = engines(engine)
    with _subject(config, settings, scale, seed, data) as subject:
        from hmgpu.benchmark.encode import benchmark_encode

        _show(benchmark_encode(subject, chosen, absent, repeats), output)


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
) -> None:
    """hmgpu's loader against Merlin's and a plain one, alone and feeding the training of the two towers."""
    chosen, absent = engines(engine)
    with _subject(config, settings, scale, seed, data) as subject:
        from hmgpu.benchmark.two_tower import benchmark_two_tower

        _show(benchmark_two_tower(subject, chosen, absent, repeats, memory), output)


@contextmanager
def _subject(
    config: Path | None, settings: list[str] | None, scale: float | None, seed: int, folder: Path | None
) -> Iterator[Subject]:
    if config:
        if scale is not None or folder:
            raise typer.BadParameter("--scale and --data are of generated data: they don't go with --config")
        yield configured(config, settings)
        return
    if settings:
        raise typer.BadParameter("--set goes over the config, so it needs --config")
    with generated(0.02 if scale is None else scale, seed, folder) as subject:
        yield subject


def _show(result: "Result", output: Path | None) -> None:
    console.print(result.table())
    if output:
        result.write(output, shlex.join(["hmgpu", *sys.argv[1:]]))
        console.print(f"result: {output}", soft_wrap=True)
