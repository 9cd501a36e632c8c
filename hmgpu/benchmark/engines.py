"""Which engines take part: with `auto` the CPU always, and the GPU where it can run."""

from hmgpu.core.choices import Choice
from hmgpu.core.engine import Engine
from hmgpu.core.errors import EngineError
from hmgpu.core.extras import needed_by


def engines(choice: Choice) -> tuple[list[Engine], dict[str, str]]:
    """The engines to measure, and those that can't run with the reason. `gpu` raises EngineError where it can't."""
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
    """What runs plans on `engine`, as the name of a contender."""
    return "cuDF, GPU" if engine.name == "gpu" else "Polars, CPU"


def wait_for(engine: Engine) -> None:
    """Returns when torch has done all that it was given on `engine`: a GPU works on while Python goes on."""
    if engine.name == "gpu":
        with needed_by("A benchmark on a GPU"):
            import torch  # takes seconds

        torch.cuda.synchronize()
