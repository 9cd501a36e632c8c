"""Settings of the networks that rank, kept apart from them so that reading a config doesn't load torch."""

from typing import Annotated, Literal

from pydantic import Field

from hmgpu.parts.models.training.settings import Training
from hmgpu.parts.part import Count

Dropout = Annotated[float, Field(ge=0, lt=1)]


class RankerTraining(Training):
    """How a network that ranks is trained."""

    loss: Literal["binary", "listwise"] = "listwise"
    """What is optimised. binary: the cross-entropy of each candidate by itself; listwise: the softmax over a customer's
    candidates of the week."""
    batch: Count = 64
    """Customers' lists in each training step, on each device. A larger batch is faster and needs more memory."""
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    """Step size of the optimiser AdamW; larger learns faster, and fails to converge if it is too large."""


class CodeSettings(RankerTraining):
    """Settings of the networks that look up category codes."""

    dimensions: Count = 16
    """Length of the embeddings."""
    dropout: Dropout = 0.0
    """Share of the top layers' units that are left out at random in each training step; more overfits less."""
    without: tuple[str, ...] = ("context_week_of_year_code",)
    """Code columns that are not used. The week of the year is one by default: it is the same for all candidates that
    are ranked together, and a few training weeks can't describe the next."""


class DLRMSettings(CodeSettings):
    """The layers of the DLRM and how it is trained; see `rankers/dlrm.py`."""

    dimensions: Count = 16
    """Length of the embeddings, and of the vector into which the bottom layers turn a candidate's numbers."""
    bottom: tuple[Count, ...] = (128, 64)
    """Widths of the hidden layers between the numbers and the interactions."""
    top: tuple[Count, ...] = (64, 32)
    """Widths of the hidden layers between the interactions and the score."""


class DNNSettings(RankerTraining):
    """The layers of the dense network and how it is trained; see `rankers/dnn.py`."""

    loss: Literal["binary", "listwise"] = "binary"
    """What is optimised. binary: the cross-entropy of each candidate by itself; listwise: the softmax over a customer's
    candidates of the week."""
    hidden: tuple[Count, ...] = (512, 256)
    """Widths of the hidden layers."""
    dropout: Dropout = 0.3
    """Share of the normalised numbers that are left out at random in each training step; more overfits less."""
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    """Weight decay of AdamW, which shrinks the weights in every step; more overfits less."""


class DINSettings(CodeSettings):
    """The layers of the attention to a customer's past articles and how it is trained; see `rankers/din.py`."""

    attention: Count = 32
    """Width of the hidden layer that compares a candidate with each past article."""
    top: tuple[Count, ...] = (128, 64)
    """Widths of the hidden layers between what is known of a candidate and the score."""
    dropout: Dropout = 0.1
    """Share of the top layers' units that are left out at random in each training step; more overfits less."""
