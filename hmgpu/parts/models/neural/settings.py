"""Settings that every trained torch model has. Apart from the loop, so that reading a config loads no torch."""

from typing import Annotated

from pydantic import Field

from hmgpu.parts.part import Count, Part


class Training(Part):
    """How a torch model is trained."""

    epochs: Count = 20
    """Passes over the examples at most."""
    patience: Count = 3
    """Passes without a better score on the held-out week after which training stops."""
    batch: Count = 2048
    """Examples a step and device."""
    accumulate: Count = 1
    """Steps whose gradients are added up before the weights move; more stands in for a larger batch."""
    learning_rate: Annotated[float, Field(gt=0)] = 5e-3
    """Step size of AdamW."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Decoupled weight decay of AdamW."""
    devices: Count = 1
    """Processes that train together, one a GPU (or, on the CPU, one a share of its cores)."""
