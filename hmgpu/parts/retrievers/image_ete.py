"""Articles by their pictures: a network for pictures whose last blocks are trained together with customers' factors.

Elsayed, Brinkmeyer & Schmidt-Thieme 2022 ("End-to-End Image-Based Fashion Recommendation"); the network is in
`models/images/image_ete.py`.
"""

from hmgpu.parts.models.images.settings import ImageSettings
from hmgpu.parts.models.space.trained_embedding import TrainedEmbedding, TrainingFunctions
from hmgpu.parts.retriever import Candidates


class ImageETE(ImageSettings, TrainedEmbedding):
    """The articles on sale that a network finds nearest, by their pictures and by who bought them.

    As a feature, how near each candidate is. A customer is known by their purchases alone. An article that training
    didn't know, even one that nobody had bought by then, is known by its picture. Without pictures in the data it is
    left out.
    """

    n: Candidates = 100

    def needs_packages(self) -> frozenset[str]:
        return super().needs_packages() | {"timm"}

    def training(self) -> TrainingFunctions:
        from hmgpu.parts.models.baskets.basket_vectors import BasketVectors  # torch takes seconds to load
        from hmgpu.parts.models.images.image_ete import ImageETE as Network

        return BasketVectors(Network, self.scorer())
