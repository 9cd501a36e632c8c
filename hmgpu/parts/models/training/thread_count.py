"""How many threads train a model on a CPU: few where a batch is little work, and they would wait for each other."""

from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from hmgpu.core.threads import threads

FLOPS = 5e8
"""Floating-point operations of a batch's forward pass that are worth one more thread: see docs/results/threads.md."""


def threads_worth(model: torch.nn.Module, batch: Any) -> tuple[int, Any]:
    """Return how many threads `batch` is worth, whatever the machine has, and the model's loss on it.

    By one thread sums are added up in one order, so that small models are the same on every machine.
    """
    torch.set_num_threads(1)
    with FlopCounterMode(display=False) as counted:
        loss = model.loss(batch)  # type: ignore[operator]
    return 1 + int(counted.get_total_flops() // FLOPS), loss


def use_threads_for(worth: int | None) -> int:
    """Give torch as many threads as are `worth` it, at most those that there are, None: all; returns how many."""
    number = threads() if worth is None else min(worth, threads())
    torch.set_num_threads(number)
    return number
