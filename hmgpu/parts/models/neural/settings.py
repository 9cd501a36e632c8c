"""Settings that every trained torch model has. Apart from the loop, so that reading a config loads no torch."""

from typing import Annotated, Literal

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


class TwoTowerSettings(Training):
    """How the two towers look and are trained; see `retrievers/two_tower.py`."""

    on_sale: Count = 28
    """Only articles sold in this many days before the cutoff are retrieved, or drawn as extra negatives."""
    weeks: Count = 26
    """Weeks of purchases that it is trained on; the last week before the cutoff is held out to decide when to stop."""
    half_life: Annotated[float, Field(gt=0)] = 8.0
    """Weeks in which the weight of a purchase halves."""
    recent: Count = 16
    """Latest articles that describe a customer."""
    width: Count = 32
    """Numbers in the largest embeddings."""
    hidden: tuple[Count, ...] = (128,)
    """Widths of each tower's hidden layers."""
    dimensions: Count = 64
    """Numbers in a vector."""
    temperature: Annotated[float, Field(gt=0)] = 0.05
    """Divides the cosine in the loss."""
    extra: Annotated[int, Field(ge=0)] = 256
    """Negatives a batch that are drawn from the articles on sale, beside the batch's own."""
    extra_power: Annotated[float, Field(ge=0)] = 0.5
    """An article is drawn in proportion to its sales to this power: 0 draws all alike."""


class DLRMSettings(Training):
    """How the DLRM looks and is trained; see `rankers/dlrm.py`."""

    loss: Literal["binary", "listwise"] = "listwise"
    """binary: cross-entropy of each candidate; listwise: softmax over a customer's candidates of the week."""
    dimensions: Count = 16
    """Numbers in an embedding, and in what the bottom network makes of the candidate's numbers."""
    bottom: tuple[Count, ...] = (128, 64)
    """Widths of the hidden layers that the numbers go through."""
    top: tuple[Count, ...] = (64, 32)
    """Widths of the hidden layers above the interactions."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the top layers' units left out in a step."""
    without: tuple[str, ...] = ("context_week_of_year_code",)
    """Code columns left out. The week of the year is the same for all who are ranked together, and a few training weeks
    say nothing of the next."""
    batch: Count = 64
    """Customers' lists a step and device."""
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    """Step size of AdamW."""
