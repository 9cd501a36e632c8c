"""Build the variants of an ablation: the pipeline with one thing changed.

A variant reuses what parts learned where settings and inputs are equal. It computes all else again, in a folder inside
the pipeline's run that is laid out like a run.
"""

from collections.abc import Mapping
from typing import Any

from hmgpu.core.errors import ConfigError
from hmgpu.pipeline.learn import Learning
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.pipeline.schedule import Schedule
from hmgpu.runs.run import Run


def without(pipeline: Pipeline, section: str, name: str) -> Pipeline:
    """Return the pipeline with the part `name` of `section` (retrievers or features) left out.

    Raises ConfigError for the only retriever.
    """
    parts: dict[str, dict[str, Any]] = {"retrievers": dict(pipeline.retrievers), "features": dict(pipeline.features)}
    del parts[section][name]
    if not parts["retrievers"]:
        raise ConfigError(f"{section}.{name} is the only retriever; without it there are no candidates.")
    return _variant(pipeline, f"without-{section}-{name}", parts, pipeline.learning)


def reseeded(pipeline: Pipeline) -> Pipeline:
    """Return the pipeline with the next seed: other negatives and another fit, with the same learned tables."""
    return _variant(pipeline, "reseeded", {"seed": pipeline.config.seed + 1}, pipeline.learning)


def varied(pipeline: Pipeline, name: str, update: Mapping[str, Any]) -> Pipeline:
    """Return the pipeline with `update` put over fields of its config, in the folder `name` of the run.

    What workflows, models and parts learned is reused from the pipeline where it is equal; where settings of a
    retriever or the oldest training week differ, it is learned again.
    """
    config = pipeline.config.model_copy(update=update)
    run = Run(pipeline.run.folder / name, pipeline.engine, base=pipeline.learning.run)
    oldest, known = Schedule.of(config, pipeline.store).oldest, pipeline.learning
    rules = known.exclusions, known.reranking
    learning = Learning(config, pipeline.engine, pipeline.store, run, oldest, pipeline.workers, *rules)
    return _variant(pipeline, name, update, learning)


def _variant(pipeline: Pipeline, name: str, update: Mapping[str, Any], learning: Learning) -> Pipeline:
    run = Run(pipeline.run.folder / name, pipeline.engine)
    config = pipeline.config.model_copy(update=update)
    return Pipeline(config, pipeline.engine, pipeline.store, run, pipeline.workers, learning)
