"""Settings of trained torch models, kept apart from the training loop so that reading a config doesn't load torch."""

from typing import Annotated, Literal

from pydantic import Field

from hmgpu.parts.part import Count, Part

LastWeek = Literal["held-out", "again", "trained"]


class Training(Part):
    """How a torch model is trained."""

    epochs: Count = 20
    """The most passes over the training examples."""
    patience: Count = 3
    """Training stops after this many passes without a better score on the held-out week."""
    batch: Count = 2048
    """Examples in each training step, on each device. A larger batch is faster and needs more memory."""
    accumulate: Count = 1
    """Steps whose gradients are added up before the weights change; 4 acts like a batch four times as large, without
    the memory for it."""
    learning_rate: Annotated[float, Field(gt=0)] = 5e-3
    """Step size of the optimiser AdamW; larger learns faster, and fails to converge if it is too large."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Weight decay of AdamW, which shrinks the weights in every step; more overfits less."""
    devices: Count = 1
    """Processes that train together: one for each GPU, or on the CPU one for each share of the cores."""


class HistoryTraining(Training):
    """How a network is trained on what was bought before a cutoff."""

    last_week: LastWeek = "held-out"
    """What becomes of the week before the cutoff. held-out: it decides when to stop, and is not trained on; again: it
    does, and then all is trained again, that week too, for as many passes; trained: it is trained on as all others are,
    for `epochs` passes."""
