"""DIN: a candidate attends to the articles that the customer bought last, and takes from them what concerns it.

Zhou et al. 2018 ("Deep interest network for click-through rate prediction"). It reads the past articles of the feature
family `past_articles`, the codes of `encoded`, and the numbers of all other families. The network is in
`ranking/din.py`.
"""

from typing import TYPE_CHECKING

from hmgpu.parts.models.ranking.ranker import NetworkRanker
from hmgpu.parts.models.ranking.settings import DINSettings

if TYPE_CHECKING:  # the real import loads torch, which takes seconds
    from hmgpu.parts.models.ranking.din import Network


class DIN(DINSettings, NetworkRanker):
    """Attention to the customer's past articles, fitted on the codes and numbers of candidates."""

    @property
    def needs_families(self) -> frozenset[str]:
        return frozenset({"encoded", "past_articles"})

    def network(self) -> "type[Network]":
        from hmgpu.parts.models.ranking.din import Network

        return Network
