"""A training loop as one would write it in torch: in a few lines, what Lightning does for hmgpu."""

from collections.abc import Iterable
from typing import Any

import torch

from hmgpu.core.engine import Engine
from hmgpu.parts.models.training.loop import CLIP
from hmgpu.parts.models.training.settings import Training


def plain_pass(model: torch.nn.Module, batches: Iterable[Any], settings: Training, engine: Engine) -> list[float]:
    """Train `model` in place for one pass over `batches`; return each batch's loss."""
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    losses = []
    for batch in batches:
        optimizer.zero_grad()
        with torch.autocast(engine.device, torch.bfloat16, enabled=engine.name == "gpu"):
            loss, _ = model.loss(batch)  # type: ignore[operator]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses).tolist()  # asks for the numbers once, so that a GPU never waits for them
