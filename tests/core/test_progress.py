"""What is shown while something is under way, and what a stage is."""

import pytest

from hmgpu.core import progress as module
from hmgpu.core.progress import in_stage, progress, stage, stages, tracked


@pytest.fixture
def bars(monkeypatch) -> list[tuple[str, float, float | None]]:
    """(label, done, total) of every bar when it is taken away."""
    gone = []

    class Kept(module.Progress):
        def remove_task(self, task_id) -> None:
            task = self._tasks[task_id]
            gone.append((task.description, task.completed, task.total))
            super().remove_task(task_id)

    monkeypatch.setattr(module, "Progress", Kept)
    return gone


def test_items_are_counted_when_they_are_done(bars) -> None:
    assert list(tracked("abc", "letters", 3)) == ["a", "b", "c"]
    assert list(tracked("ab", "of unknown number", None)) == ["a", "b"]
    assert bars == [("letters", 3, 3), ("of unknown number", 2, None)]


def test_bars_within_bars_share_the_terminal(bars) -> None:
    with progress("outer") as advance, progress("inner", 2):
        advance(1, 4)
    assert bars == [("inner", 0, 2), ("outer", 1, 4)]


def test_only_outer_stages_count(bars) -> None:
    assert not in_stage()
    with stages(3):
        for _ in range(2):
            with stage():
                assert in_stage()
                with stage():
                    pass
    assert not in_stage()
    assert bars == [("all stages", 2, 3)]
