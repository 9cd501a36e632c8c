"""DLRM: a neural network of embeddings of category codes, numbers, and the interactions between each two of them.

Naumov et al. 2019 ("Deep learning recommendation model for personalization and recommendation systems"), as Merlin's
`DLRMModel`. It reads the codes of the feature family `encoded` and the numbers of all other families. The network is in
`ranking/dlrm.py`.
"""

from typing import TYPE_CHECKING

from hmgpu.parts.models.ranking.ranker import NetworkRanker
from hmgpu.parts.models.ranking.settings import DLRMSettings

if TYPE_CHECKING:  # the real import loads torch and Merlin, which take seconds
    from hmgpu.parts.models.ranking.dlrm import Network


class DLRM(DLRMSettings, NetworkRanker):
    """Merlin's DLRM, fitted on the codes and numbers of candidates."""

    @property
    def needs_families(self) -> frozenset[str]:
        return frozenset({"encoded"})

    def needs_packages(self) -> frozenset[str]:
        return super().needs_packages() | {"merlin"}

    def network(self) -> "type[Network]":
        from hmgpu.parts.models.ranking.dlrm import Network

        return Network
