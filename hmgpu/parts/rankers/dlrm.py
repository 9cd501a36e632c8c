"""DLRM: a neural network of embeddings of category codes, numbers, and the interactions between each two of them.

Naumov et al. 2019 ("Deep learning recommendation model for personalization and recommendation systems"), as Merlin's
`DLRMModel`. It reads the codes of the feature family `encoded` and the numbers of all other families. The network is in
`neural/dlrm.py`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hmgpu.core.engine import Engine
from hmgpu.parts.examples import Examples
from hmgpu.parts.models.neural.settings import DLRMSettings
from hmgpu.parts.ranker import Ranker

if TYPE_CHECKING:  # the real import loads torch and Merlin, which take seconds
    from hmgpu.parts.models.neural.dlrm import FittedDLRM


class DLRM(DLRMSettings, Ranker):
    """Merlin's DLRM, fitted on the codes and numbers of candidates."""

    @property
    def needs_codes(self) -> bool:
        return True

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
