"""Settings of the networks on sequences of purchases; reading a config doesn't load torch."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from hmgpu.parts.models.training.settings import HistoryTraining, LastWeek
from hmgpu.parts.part import Count


class SASRecSettings(HistoryTraining):
    """The layers of the self-attention over purchases and how it is trained; see `retrievers/sasrec.py`."""

    on_sale: Count = 28
    """Only articles that sold in this many days before the cutoff are proposed; in training, an article is a negative
    until this many days after it last sold."""
    weeks: Count = 26
    """Weeks of purchases that are predicted in training, each from all that its customer bought on earlier days."""
    last_week: LastWeek = "again"
    half_life: Annotated[float, Field(gt=0)] = 8.0
    """Weeks (not days) after which a purchase counts half as much in training."""
    recent: Count = 50
    """Latest purchases of a customer that are looked at."""
    support: Count = 3
    """Units that must have been bought of an article for it to get an embedding of its own; what sold less, or is newer
    than the training, is known by its fields alone."""
    dimensions: Count = 64
    """Length of the vectors of customers and articles, and of all that passes between the blocks."""
    blocks: Count = 2
    """Blocks of attention, one on top of the other."""
    heads: Count = 2
    """Attentions side by side in each block; twice their number must divide `dimensions`."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    """Share of each block's output that is left out at random in a training step; more overfits less."""
    temperature: Annotated[float, Field(gt=0)] = 0.1
    """Divides the cosine of two vectors in the loss; lower values tell similar articles apart more sharply."""
    extra: Annotated[int, Field(ge=0)] = 512
    """Negatives for each batch that are sampled from all articles of the training weeks, in addition to what others in
    the batch bought."""
    extra_power: Annotated[float, Field(ge=0)] = 0.5
    """Extra negatives are sampled in proportion to an article's sales to this power: 1 by sales, 0 all equally
    likely."""
    batch: Count = 64
    """Customers in each training step, on each device. A larger batch is faster and needs more memory."""
    learning_rate: Annotated[float, Field(gt=0)] = 2e-3
    """Step size of the optimiser AdamW; larger learns faster, and fails to converge if it is too large."""

    @model_validator(mode="after")
    def _heads_share_the_dimensions(self) -> Self:
        if self.dimensions % (2 * self.heads):
            raise ValueError(f"dimensions {self.dimensions} can't be divided by twice the heads, {2 * self.heads}")
        return self
