"""A line with one thing changed: what an ablation compares the line with.

A variant shares what parts have learned where that is the same. All else it makes anew, in a folder within the line's
run that is laid out like a run.
"""

from collections.abc import Mapping
from typing import Any

from hmgpu.core.errors import ConfigError
from hmgpu.pipeline.learn import Learning
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.pipeline.schedule import Schedule
from hmgpu.runs.run import Run


def without(line: Pipeline, section: str, name: str) -> Pipeline:
    """The line with the part `name` of `section` (retrievers or features) left out.

    Raises ConfigError for the only retriever.
    """
    parts: dict[str, dict[str, Any]] = {"retrievers": dict(line.retrievers), "features": dict(line.features)}
    del parts[section][name]
    if not parts["retrievers"]:
        raise ConfigError(f"{section}.{name} is the only retriever; without it there are no candidates.")
    return _variant(line, f"without-{section}-{name}", parts, line.learning)


def reseeded(line: Pipeline) -> Pipeline:
    """The line with the next seed: other negatives and another fit, on what the same parts have learned."""
    return _variant(line, "reseeded", {"seed": line.config.seed + 1}, line.learning)


def varied(line: Pipeline, name: str, update: Mapping[str, Any]) -> Pipeline:
    """The line with `update` put over fields of its config, in the folder `name` of the run.

    What workflows, models and parts have learned is taken from the line where it is the same; where settings of a
    retriever or the oldest training week differ, that is learned anew.
    """
    config = line.config.model_copy(update=update)
    run = Run(line.run.folder / name, line.engine, base=line.learning.run)
    learning = Learning(config, line.engine, line.store, run, Schedule.of(config, line.store).oldest, line.workers)
    return _variant(line, name, update, learning)


def _variant(line: Pipeline, name: str, update: Mapping[str, Any], learning: Learning) -> Pipeline:
    run = Run(line.run.folder / name, line.engine)
    config = line.config.model_copy(update=update)
    return Pipeline(config, line.engine, line.store, run, line.workers, learning)
