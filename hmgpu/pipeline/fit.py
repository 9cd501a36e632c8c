"""Fit the ranker, in one step that evaluation and recommendation share, or in two."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hmgpu.core.plain_paths import plain_path
from hmgpu.parts.examples import Examples
from hmgpu.pipeline.context import StepContext
from hmgpu.runs.run import Step

LabelledWeeks = tuple[Examples, list[Step]]
"""Examples, and the steps that hold them."""


def join_weeks(weeks: Sequence[LabelledWeeks], lists: Sequence[LabelledWeeks]) -> LabelledWeeks:
    """Join the examples of all training `weeks`, oldest first, and `lists`, those of the last weeks as served."""
    files = tuple(file for examples, _ in weeks for file in examples.files)
    steps = [step for _, steps in (*weeks, *lists) for step in steps]
    sizes = tuple(len(examples.files) for examples, _ in weeks)
    return Examples(files, weeks=sizes, lists=tuple(examples.files for examples, _ in lists)), steps


def fit(context: StepContext, training: LabelledWeeks, validation: LabelledWeeks) -> Step:
    """Fit the ranker and return the step that holds it. Raises ConfigError where there is nothing to fit it on."""
    examples, watched = training[0], validation[0]

    def write(folder: Path) -> None:
        examples.require_purchases()
        with temporary_files_in(folder):
            model = context.ranker.fit(examples, watched, context.engine, context.seed, context.workers.client)
        model.save(folder)

    settings = context.ranker.settings() | {"seed": context.seed}
    return context.run.step("fit", settings, [step.digest for step in (*training[1], *validation[1])], write)


def refit(context: StepContext, fitted: Step, training: LabelledWeeks) -> Step:
    """Fit the ranker of the step `fitted` again, on `training`, without a week that stops it; return the step."""

    def write(folder: Path) -> None:
        model = context.ranker.load(fitted.folder, context.engine)
        with temporary_files_in(folder):
            again = context.ranker.refit(model, training[0], context.engine, context.seed, context.workers.client)
        again.save(folder)

    settings = context.ranker.settings() | {"seed": context.seed}
    return context.run.step("refit", settings, [fitted.digest, *(step.digest for step in training[1])], write)


@contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Let rankers write their temporary files, which may be as large as the examples, into `folder` while they fit.

    So they are on the run's disk, and where the process is killed they go with the step's draft.
    """
    before = tempfile.tempdir
    # XGBoost reads no name of a file but in ASCII.
    with tempfile.TemporaryDirectory(dir=folder) as scratch, plain_path(Path(scratch), str.isascii) as place:
        tempfile.tempdir = str(place)
        try:
            yield
        finally:
            tempfile.tempdir = before
