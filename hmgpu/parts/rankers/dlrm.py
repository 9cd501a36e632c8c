"""DLRM: a network that looks up category codes, and lets them and the numbers meet in pairs.

Naumov et al. 2019 ("Deep learning recommendation model for personalization and recommendation systems"), Merlin's
`DLRMModel`. It reads the codes of the family `encoded` and all numbers of the others. The network is in
`neural/dlrm.py`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from hmgpu.core.engine import Engine
from hmgpu.parts.examples import Examples
from hmgpu.parts.models.neural.settings import Training
from hmgpu.parts.part import Count
from hmgpu.parts.ranker import Ranker

if TYPE_CHECKING:  # the real import loads torch and Merlin, which take seconds
    from hmgpu.parts.models.neural.dlrm import FittedDLRM


class DLRM(Training, Ranker):
    """Merlin's DLRM on the codes and numbers of candidates."""

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

    def needs_packages(self) -> frozenset[str]:
        return frozenset({"merlin", "pytorch_lightning", "torch"})

    def fit(
        self, training: Examples, validation: Examples, engine: Engine, seed: int, client: Any = None
    ) -> "FittedDLRM":
        from hmgpu.parts.models.neural.dlrm import train

        return train(self, training, validation, engine, seed)

    def load(self, folder: Path, engine: Engine) -> "FittedDLRM":
        from hmgpu.parts.models.neural.dlrm import load

        return load(self, folder, engine)
