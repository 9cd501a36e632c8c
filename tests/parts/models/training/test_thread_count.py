"""How many threads a batch is worth: by its work alone, so the same on every machine, and kept over a resume."""

import pytest

torch = pytest.importorskip("torch")

from hmgpu.parts.models.training import thread_count  # noqa: E402
from hmgpu.parts.models.training.thread_count import FLOPS, threads_worth, use_threads_for  # noqa: E402


class Square(torch.nn.Module):
    """A batch of n rows costs 2·n·wide² operations."""

    def __init__(self, wide: int) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(wide, wide)

    def loss(self, rows):
        return self.layer(rows).mean(), len(rows)


@pytest.fixture(autouse=True)
def as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("rows", "worth"), [(100, 1), (int(FLOPS) // 2**21 + 1, 2), (int(FLOPS) // 2**20, 2)])
def test_one_more_thread_for_every_so_many_operations(rows, worth):
    found, (loss, count) = threads_worth(Square(1_024), torch.ones(rows, 1_024))
    assert (found, count) == (worth, rows)
    loss.backward()


def test_it_uses_no_more_threads_than_there_are(monkeypatch):
    monkeypatch.setattr(thread_count, "threads", lambda: 4)
    assert [use_threads_for(worth) for worth in (1, 3, 9, None)] == [1, 3, 4, 4]
    assert torch.get_num_threads() == 4
