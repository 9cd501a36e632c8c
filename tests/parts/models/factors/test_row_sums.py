"""Rows named more than once get all their steps."""

import torch

from hmgpu.parts.models.factors.row_sums import add_rows


def test_steps_of_a_row_are_added_up():
    table = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    add_rows(table, torch.tensor([2, 0, 2]), torch.tensor([[1.0, 0.0], [10.0, 20.0], [0.5, 0.25]]))
    assert table.tolist() == [[11.0, 22.0], [3.0, 4.0], [6.5, 6.25]]


def test_in_their_order():
    """In float32 1 is lost next to 2^24 and kept where the large ones cancel first."""
    steps = torch.tensor([[1.0], [2.0**24], [-(2.0**24)]])
    table = torch.zeros(2, 1)
    add_rows(table, torch.tensor([0, 0, 0]), steps)
    add_rows(table, torch.tensor([1, 1, 1]), steps[[1, 2, 0]])
    assert table.tolist() == [[0.0], [1.0]]
