"""Which engines take part: with `auto` the CPU always, and the GPU where it can run."""

from hmgpu.core.choices import Choice
from hmgpu.core.engine import Engine
from hmgpu.core.errors import EngineError
from hmgpu.core.extras import needed_by


def engines(choice: Choice) -> tuple[list[Engine], dict[str, str]]:
    """Return the engines to measure, and why others can't run. `gpu` raises EngineError where there is no GPU."""
    if choice == "cpu":
        return [Engine.choose("cpu")], {}
    try:
        gpu = Engine.choose("gpu")
    except EngineError as error:
        if choice == "gpu":
            raise
        return [Engine.choose("cpu")], {"GPU": f"no GPU: {error}"}
    return ([gpu] if choice == "gpu" else [Engine.choose("cpu"), gpu]), {}


def plans_on(engine: Engine) -> str:
    """Return the name of the contender that runs plans on `engine`."""
    return "cuDF, GPU" if engine.name == "gpu" else "Polars, CPU"


def wait_for(engine: Engine) -> None:
    """Wait until torch has done all its work on `engine`: a GPU works on while Python goes on."""
    if engine.name == "gpu":
        with needed_by("A benchmark on a GPU"):
            import torch  # takes seconds

        torch.cuda.synchronize()
