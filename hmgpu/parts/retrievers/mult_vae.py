"""An autoencoder of purchases: a network puts what a customer bought lately into a vector, and finds it again there.

Mult-VAE (Liang, Krishnan, Hoffman & Jebara 2018, "Variational autoencoders for collaborative filtering"); the network
is in `models/baskets/mult_vae.py`. What it finds besides what the customer bought, it proposes.
"""

from hmgpu.parts.models.baskets.settings import MultVAESettings
from hmgpu.parts.models.space.trained_embedding import TrainedEmbedding, TrainingFunctions
from hmgpu.parts.retriever import Candidates


class MultVAE(MultVAESettings, TrainedEmbedding):
    """The likeliest articles on sale by what a customer bought; as a feature, how likely each candidate is.

    A customer is known by their purchases alone: whoever bought nothing lately gets what sells best. An article is
    known if it sold before the training.
    """

    n: Candidates = 100

    def training(self) -> TrainingFunctions:
        from hmgpu.parts.models.baskets.basket_vectors import BasketVectors  # torch takes seconds to load
        from hmgpu.parts.models.baskets.mult_vae import MultVAE as Network

        return BasketVectors(Network, self.scorer())
