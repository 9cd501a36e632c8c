"""The options that all benchmarks have, and what they measure on."""

import functools
import inspect
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hmgpu.cli.options import A_CONFIG, Seed, Settings
from hmgpu.core.choices import Choice
from hmgpu.core.console import console
from hmgpu.core.outputs import refuse_among_inputs

if TYPE_CHECKING:
    from hmgpu.benchmark.result import Result
    from hmgpu.benchmark.shops import Shop
    from hmgpu.benchmark.subject import Subject
    from hmgpu.core.engine import Engine
    from hmgpu.pipeline.config import Config

BASE = "base"  # the shipped config whose parts are measured on synthetic data
SCALE = 0.02
SIZE = "Size of the synthetic data; 1.0 is H&M's."

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="CONFIG",
        help=f"Measure on the ingested data set of this YAML config: {A_CONFIG}.",
        show_default="synthetic data",
    ),
]
Scale = Annotated[float | None, typer.Option("--scale", min=1e-4, help=SIZE, show_default=str(SCALE))]
Scales = Annotated[
    list[float] | None, typer.Option("--scale", min=1e-4, help=f"{SIZE} Repeatable.", show_default=str(SCALE))
]
Folder = Annotated[
    Path | None, typer.Option("--data", metavar="FOLDER", help="Keep the synthetic data here, for the next time.")
]
Repeats = Annotated[int, typer.Option("--repeats", min=1, help="How many runs of each contender count.")]
EngineChoice = Annotated[
    Choice, typer.Option("--engine", help="Engines to measure; auto: the CPU, and the GPU where there is one.")
]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Also write the result here, as JSON.")]
Plot = Annotated[bool, typer.Option("--plot/--no-plot", help="Also draw what --out writes, as SVG next to it.")]


@dataclass(frozen=True)
class Asked:
    """What all benchmarks are asked for."""

    config: ConfigFile = None
    settings: Settings = None
    scale: Scale = None
    seed: Seed = 1
    data: Folder = None
    repeats: Repeats = 1
    engine: EngineChoice = "auto"
    out: Out = None
    plot: Plot = True

    def engines(self) -> tuple[list["Engine"], dict[str, str]]:
        """Return the engines to measure, and those that can't run with the reason."""
        from hmgpu.benchmark.engines import engines

        return engines(self.engine)

    @contextmanager
    def subject(self) -> Iterator["Subject"]:
        """Yield what benchmarks of models measure on: synthetic data with the models' default settings, or a config."""
        if self.settings and not self.config:
            raise typer.BadParameter("--set replaces settings of a config, so it needs --config")
        with self._data(self.scale, None) as subject:
            yield subject

    @contextmanager
    def subject_with_parts(self) -> Iterator["Subject"]:
        """Yield what benchmarks of parts measure on: those of the given config, or of `base` on synthetic data."""
        with self._with_parts(self.scale) as subject:
            yield subject

    @contextmanager
    def subject_of_shop(self, shop: "Shop") -> Iterator["Subject"]:
        """Yield the data of a generated shop, with the parts of `base`."""
        if self.config or self.scale:
            raise typer.BadParameter("--shop generates its data: it doesn't go with --config and --scale")
        from hmgpu.benchmark.subject import of_shop
        from hmgpu.pipeline.config import load_config

        with of_shop(shop, self.seed, self.data, load_config(BASE, self.settings)) as subject:
            yield subject

    def subjects(self) -> Iterator["Subject"]:
        """Yield one subject with parts a scale, so that no more than one synthetic data set is kept at a time."""
        scales = self.scale if isinstance(self.scale, list) else [self.scale]
        for scale in scales or [None]:
            with self._with_parts(scale) as subject:
                yield subject

    @contextmanager
    def _with_parts(self, scale: float | None) -> Iterator["Subject"]:
        from hmgpu.pipeline.config import load_config

        parts = None if self.config else load_config(BASE, self.settings)
        with self._data(scale, parts) as subject:
            yield subject

    @contextmanager
    def _data(self, scale: float | None, parts: "Config | None") -> Iterator["Subject"]:
        if self.config and (self.scale or self.data):
            raise typer.BadParameter("--scale and --data are about synthetic data: they don't go with --config")
        from hmgpu.benchmark.subject import configured, generated

        if self.config:
            yield configured(self.config, self.settings)
            return
        with generated(SCALE if scale is None else scale, self.seed, self.data, parts) as subject:
            yield subject


def measuring(
    repeats: int = 1, scale: Any = Scale, without: tuple[str, ...] = ()
) -> Callable[[Callable[..., "Result"]], Callable[..., None]]:
    """Return a decorator that turns a function of `Asked` and its own options into one that shows what it measured.

    Args:
        repeats: default of the option.
        scale: type of the option: `Scale`, or `Scales` for a repeatable one.
        without: options of `Asked` that the verb doesn't have.
    """

    def measured(benchmark: Callable[..., "Result"]) -> Callable[..., None]:
        shared = {name: each for name, each in inspect.signature(Asked).parameters.items() if name not in without}
        if "scale" in shared:
            shared["scale"] = shared["scale"].replace(annotation=scale)
        if "repeats" in shared:
            shared["repeats"] = shared["repeats"].replace(default=repeats)
        own = list(inspect.signature(benchmark).parameters.values())[1:]

        @functools.wraps(benchmark)
        def verb(**given: Any) -> None:
            asked = Asked(**{name: given.pop(name) for name in shared})
            if asked.out:
                refuse_among_inputs(asked.out, "raw")
            plots = asked.plot and asked.out is not None and "plot" in shared
            if plots:  # before a long measurement, since there may be nothing to draw its result with
                from hmgpu.benchmark.plot import require_matplotlib

                require_matplotlib()
            _show(benchmark(asked, **given), asked.out, plots)

        parameters = [*shared.values(), *own]
        verb.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        verb.__annotations__ = {each.name: each.annotation for each in parameters}
        return verb

    return measured


def _show(result: "Result", out: Path | None, plots: bool) -> None:
    console.print(result.table())
    if out is None:
        return
    result.write(out, shlex.join(["hmgpu", *sys.argv[1:]]))
    console.print(f"result: {out}", soft_wrap=True)
    if plots:
        from hmgpu.benchmark.plot import plot

        console.print(f"plot: {plot(out)}", soft_wrap=True)
