"""Measure hmgpu against the usual ways of doing the same work, side by side on this machine."""

# What measures is loaded by the verb: torch and Merlin take seconds.

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hmgpu.benchmark.shops import Shop
from hmgpu.cli.measuring import Asked, Out, Scales, measuring
from hmgpu.cli.options import DataFolder, RunFolder, finished_run
from hmgpu.cli.verbs import verbs
from hmgpu.core.console import console

if TYPE_CHECKING:
    from hmgpu.benchmark.result import Result

app = typer.Typer(no_args_is_help=True, help=__doc__)
verb = verbs(app)
Memory = Annotated[
    bool, typer.Option("--memory/--no-memory", help="Also the peak of memory, each in a process of its own.")
]


@verb("encode", "hmgpu benchmark encode", "hmgpu benchmark encode --scale 0.1 --data bench --out encode.json")
@measuring(repeats=5)
def encode_verb(asked: Asked) -> "Result":
    """Compare NVTabular's workflows with plain pandas, fitting and encoding."""
    chosen, absent = asked.engines()
    with asked.subject() as subject:
        from hmgpu.benchmark.encode import benchmark_encode

        return benchmark_encode(subject, chosen, absent, asked.repeats)


@verb("two-tower", "hmgpu benchmark two-tower", "hmgpu benchmark two-tower --config best --no-memory")
@measuring(repeats=5)
def two_tower_verb(asked: Asked, memory: Memory = True) -> "Result":
    """Compare hmgpu's loader with Merlin's and a plain one, alone and while the two towers train."""
    chosen, absent = asked.engines()
    with asked.subject() as subject:
        from hmgpu.benchmark.two_tower import benchmark_two_tower

        return benchmark_two_tower(subject, chosen, absent, asked.repeats, memory)


@verb("features", "hmgpu benchmark features --scale 0.02 --scale 0.1", "hmgpu benchmark features --engine gpu")
@measuring(repeats=3, scale=Scales)
def features_verb(asked: Asked, memory: Memory = True) -> "Result":
    """Compare the feature families on CPU and GPU with DuckDB and pandas, at one or several sizes."""
    chosen, absent = asked.engines()
    from hmgpu.benchmark.features import benchmark_features

    return benchmark_features(asked.subjects(), chosen, absent, asked.repeats, memory)


@verb("candidates", "hmgpu benchmark candidates", "hmgpu benchmark candidates --config shop.yaml")
@measuring(repeats=3)
def candidates_verb(asked: Asked) -> "Result":
    """Compare the retrievers on CPU and GPU; co-purchase rules also as sparse matrix products."""
    chosen, absent = asked.engines()
    with asked.subject_with_parts() as subject:
        from hmgpu.benchmark.candidates import benchmark_candidates

        return benchmark_candidates(subject, chosen, absent, asked.repeats)


@verb("train", "hmgpu benchmark train", "hmgpu benchmark train --trees 500 --weeks 4 --out train.json")
@measuring(repeats=3)
def train_verb(
    asked: Asked,
    trees: Annotated[
        int, typer.Option("--trees", min=1, help="How many trees to fit; replaces the config's, and none stops early.")
    ] = 200,
    weeks: Annotated[int, typer.Option("--weeks", min=1, help="How many training weeks; replaces the config's.")] = 2,
) -> "Result":
    """Compare fitting XGBoost and ALS on CPU and GPU; ALS by the library implicit, too."""
    chosen, absent = asked.engines()
    with asked.subject_with_parts() as subject:
        from hmgpu.benchmark.train import benchmark_train

        return benchmark_train(subject, chosen, absent, asked.repeats, trees, weeks)


@verb("pipeline", "hmgpu benchmark pipeline", "hmgpu benchmark pipeline --config best --engine gpu")
@measuring(repeats=1)
def pipeline_verb(asked: Asked) -> "Result":
    """Compare the whole pipeline on CPU and GPU, step by step from train to submit; no run is a warm-up."""
    chosen, absent = asked.engines()
    with asked.subject_with_parts() as subject:
        from hmgpu.benchmark.pipeline import benchmark_pipeline

        return benchmark_pipeline(subject, chosen, absent, asked.repeats)


@verb("peers", "hmgpu benchmark peers --config shop.yaml", "hmgpu benchmark peers --shop giftware --peers lambdarank")
@measuring(without=("repeats", "plot"))
def peers_verb(
    asked: Asked,
    folds: Annotated[
        int, typer.Option("--folds", min=1, help="How many last weeks, each recommended for from what was before it.")
    ] = 4,
    peers: Annotated[str | None, typer.Option("--peers", help="Names, comma-separated.", show_default="all")] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", help="The folds-….json of an evaluation of these weeks, which is then not repeated."),
    ] = None,
    shop: Annotated[
        Shop | None,
        typer.Option("--shop", help="A generated shop: giftware (large baskets) or newcomer (eight weeks of sales)."),
    ] = None,
    own: Annotated[
        bool, typer.Option("--pipeline/--no-pipeline", help="Also hmgpu's own pipeline, which alone uses --engine.")
    ] = True,
) -> "Result":
    """Compare hmgpu's lists with those of well-known public recommenders, on the same weeks and customers."""
    if against and not own:
        raise typer.BadParameter("--against is an evaluation of hmgpu's own pipeline: it doesn't go with --no-pipeline")
    from hmgpu.benchmark.against_peers import benchmark_peers
    from hmgpu.benchmark.peer_runs import named
    from hmgpu.core.engine import Engine

    chosen, names = Engine.choose(asked.engine), named(peers)
    with asked.subject_of_shop(shop) if shop else asked.subject_with_parts() as subject:
        return benchmark_peers(subject, chosen, names, folds, against, own)


@verb("retrievers", "hmgpu benchmark retrievers --config shop.yaml --weeks 4", "hmgpu benchmark retrievers --seeds 2")
@measuring(without=("repeats", "plot"))
def retrievers_verb(
    asked: Asked,
    weeks: Annotated[
        int, typer.Option("--weeks", min=1, help="How many last weeks, each from what was known before it.")
    ] = 1,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many seeds, the config's and those after it.")] = 1,
) -> "Result":
    """Measure what each retriever of a config finds by itself, and the time and memory that it takes."""
    from hmgpu.benchmark.retrievers import benchmark_retrievers
    from hmgpu.core.engine import Engine

    chosen = Engine.choose(asked.engine)
    with asked.subject_with_parts() as subject:
        return benchmark_retrievers(subject, chosen, weeks, seeds)


@verb("threads", "hmgpu benchmark threads", "hmgpu benchmark threads --repeats 5 --out threads.json")
@measuring(repeats=3, without=("config", "settings", "scale", "seed", "data", "engine", "plot"))
def threads_verb(asked: Asked) -> "Result":
    """Measure what each pool of threads takes alone, next to busy processes, and under a container's quota."""
    from hmgpu.benchmark.threads import benchmark_threads

    return benchmark_threads(asked.repeats)


@verb("serve", "hmgpu benchmark serve --run demo/runs/current", "hmgpu benchmark serve --other RUN --minutes 10")
def serve_verb(
    run: RunFolder = None,
    data: DataFolder = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="How long each load takes.")] = 10.0,
    clients: Annotated[int, typer.Option("--clients", min=1, help="How many ask at once, after one alone.")] = 8,
    other: Annotated[
        Path | None,
        typer.Option("--other", metavar="RUN", help="Another run, between which and --run the service is led."),
    ] = None,
    minutes: Annotated[float, typer.Option("--minutes", min=0, help="For how long it is led from run to run.")] = 0.0,
    out: Out = None,
) -> None:
    """Measure the HTTP service over a finished run: lookups, baskets, memory; also while runs are promoted.

    Every answer is compared with the run's list; one that is wrong ends it with status 1.
    """
    if (other is None) != (minutes == 0):
        raise typer.BadParameter("--other and --minutes go together")
    from hmgpu.benchmark.service import benchmark_service
    from hmgpu.core.extras import needed_by
    from hmgpu.runs.find import find_run

    with needed_by("hmgpu serve"):
        import uvicorn  # noqa: F401 (in a process of its own)
    result = benchmark_service(
        finished_run(run, None, None), data, seconds, clients, other and find_run(other, Path("runs")), minutes
    )
    console.print(result.table())
    if out:
        result.write(out, shlex.join(["hmgpu", *sys.argv[1:]]))
        console.print(f"result: {out}", soft_wrap=True)


@verb("plot", "hmgpu benchmark plot features.json", "hmgpu benchmark plot encode.json")
def plot_verb(
    result: Annotated[Path, typer.Argument(help="A file that --out wrote.", metavar="RESULT.json")],
) -> None:
    """Draw a result again, as SVG next to it."""
    from hmgpu.benchmark.plot import plot

    console.print(f"plot: {plot(result)}", soft_wrap=True)
