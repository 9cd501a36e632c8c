"""A dense network on all numbers of a candidate.

Public solutions of the H&M competition blended one with trees: batch normalisation, dropout, layers with swish, a skip
connection and a sigmoid, on columns and on frozen vectors. Of vectors it sees how near candidate and customer are, one
number for each of the spaces of `als`, `word2vec`, `content` and the like: those are learned again for every week, and
their single numbers mean something else in each. The network is in `ranking/dnn.py`.
"""

from typing import TYPE_CHECKING

from hmgpu.parts.models.ranking.ranker import NetworkRanker
from hmgpu.parts.models.ranking.settings import DNNSettings

if TYPE_CHECKING:  # the real import loads torch, which takes seconds
    from hmgpu.parts.models.ranking.dnn import Network


class DNN(DNNSettings, NetworkRanker):
    """A dense network, fitted on the numbers of candidates."""

    def network(self) -> "type[Network]":
        from hmgpu.parts.models.ranking.dnn import Network

        return Network
