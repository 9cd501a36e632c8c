"""Fit the ranker, in one step that evaluation and recommendation share."""

from collections.abc import Sequence
from pathlib import Path

from hmgpu.core.errors import ConfigError
from hmgpu.parts.examples import Examples
from hmgpu.pipeline.context import StepContext
from hmgpu.runs.run import Step

LabelledWeeks = tuple[Examples, list[Step]]
"""Examples, and the steps that hold them."""


def join_weeks(weeks: Sequence[LabelledWeeks], lists: LabelledWeeks | None) -> LabelledWeeks:
    """Join the examples of all training `weeks`, oldest first, and `lists`, the last week's as they are served."""
    files = tuple(file for examples, _ in weeks for file in examples.files)
    steps = [step for _, steps in weeks for step in steps]
    latest = len(weeks[-1][0].files) if len(weeks) > 1 else None
    if lists is None:
        return Examples(files, latest=latest), steps
    return Examples(files, latest=latest, lists=lists[0].files), [*steps, *lists[1]]


def fit(context: StepContext, training: LabelledWeeks, validation: LabelledWeeks) -> Step:
    """Fit the ranker and return the step that holds it. Raises ConfigError where there is nothing to fit it on."""
    examples, watched = training[0], validation[0]

    def write(folder: Path) -> None:
        if not any(True for _ in examples.tables()):
            raise ConfigError("No candidate was bought in the training weeks: there is nothing to fit a ranker on.")
        model = context.ranker.fit(examples, watched, context.engine, context.seed, context.workers.client)
        model.save(folder)

    settings = context.ranker.settings() | {"seed": context.seed}
    return context.run.step("fit", settings, [step.digest for step in (*training[1], *validation[1])], write)
