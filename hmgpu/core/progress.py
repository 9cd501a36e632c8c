"""Progress on a terminal: one live display of what is under way, and how far everything is."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from hmgpu.core.console import messages, shows_progress

T = TypeVar("T")
Advance = Callable[[int, int | None], None]
"""A function of (done, total)."""

_display: ContextVar[Progress | None] = ContextVar("display", default=None)  # a terminal has room for one
_whole: ContextVar[TaskID | None] = ContextVar("whole", default=None)
_in_stage: ContextVar[bool] = ContextVar("in_stage", default=False)


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Advance]:
    """Show a bar labelled `what`; yields the function that advances it."""
    with _shared() as display:
        bar = display.add_task(what, total=total)
        try:
            yield lambda done, total: display.update(bar, completed=done, total=total)
        finally:
            display.remove_task(bar)


def tracked(items: Iterable[T], what: str, total: int | None) -> Iterator[T]:
    """Iterate over `items`, showing a bar labelled `what`; a `total` of None is unknown."""
    with progress(what, total) as advance:
        for done, item in enumerate(items, 1):
            yield item
            advance(done, total)


@contextmanager
def stages(number: int) -> Iterator[None]:
    """Show how many of about `number` stages are over, while the block runs."""
    with _shared() as display:
        bar = display.add_task("all stages", total=number)
        token = _whole.set(bar)
        try:
            yield
        finally:
            _whole.reset(token)
            display.remove_task(bar)


@contextmanager
def stage() -> Iterator[None]:
    """Mark the block as one stage: a line of the log is enough for all that it does."""
    if in_stage():
        yield
        return
    token = _in_stage.set(True)
    try:
        yield
    finally:
        _in_stage.reset(token)
    display, bar = _display.get(), _whole.get()
    if display is not None and bar is not None:
        display.advance(bar)


def in_stage() -> bool:
    """Return whether a stage is under way, which says itself what was done."""
    return _in_stage.get()


class _Done(MofNCompleteColumn):
    def render(self, task: Task) -> Text:
        """Return done and total, and nothing where the total is unknown."""
        return Text() if task.total is None else super().render(task)


@contextmanager
def _shared() -> Iterator[Progress]:
    display = _display.get()
    if display is not None:
        yield display
        return
    columns = (TextColumn("{task.description}"), BarColumn(), _Done(), TimeRemainingColumn())
    with Progress(*columns, console=messages, transient=True, disable=not shows_progress()) as display:
        token = _display.set(display)
        try:
            yield display
        finally:
            _display.reset(token)
