"""The common base of retrievers whose network is trained on encoded purchases."""

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from hmgpu.parts.models.space.trained_embedding import TrainedEmbedding, TrainingFunctions
from hmgpu.parts.models.towers.settings import EncodedTraining
from hmgpu.parts.part import FittedEncoders

if TYPE_CHECKING:  # the real import takes seconds
    from hmgpu.parts.models.towers.encoded_network import EncodedNetwork


class EncodedEmbedding(EncodedTraining, TrainedEmbedding):
    """A `TrainedEmbedding` whose network is trained on encoded purchases."""

    weights: ClassVar[str] = "network.npz"
    """The file of the trained weights."""

    encoded = True

    @abstractmethod
    def network(self, encoders: FittedEncoders) -> "EncodedNetwork":
        """Return the network with random weights from torch's generator."""

    def needs_packages(self) -> frozenset[str]:
        return super().needs_packages() | {"merlin", "nvtabular"}

    def training(self) -> TrainingFunctions:
        from hmgpu.parts.models.towers.encoded_vectors import EncodedVectors

        return EncodedVectors(self.network, self.scorer(), self.weights)
