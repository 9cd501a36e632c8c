"""An autoencoder of purchases: a network puts what a customer bought lately into a vector, and finds it again there.

Mult-VAE (Liang, Krishnan, Hoffman & Jebara 2018, "Variational autoencoders for collaborative filtering"); the network
is in `models/neural/mult_vae.py`. What it finds besides what the customer bought, it proposes.
"""

from pathlib import Path

import polars as pl

from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.parts.models.neural.embedding import Embedding
from hmgpu.parts.models.neural.settings import MultVAESettings
from hmgpu.parts.part import Learned, Trained
from hmgpu.parts.retriever import Candidates


class MultVAE(MultVAESettings, Trained, Embedding):
    """The likeliest articles on sale by what a customer bought; as a feature, how likely each candidate is.

    A customer is known by their purchases alone: whoever bought nothing lately gets no candidates. An article is known
    if it sold before the training.
    """

    n: Candidates = 100

    compares = True

    def needs_days(self) -> int:
        return DAYS + 1  # a week to stop by, and something bought before it

    def needs_packages(self) -> frozenset[str]:
        return super().needs_packages() | {"pytorch_lightning"}

    def train(self, history: History, folder: Path, work: Path) -> None:
        from hmgpu.parts.models.neural.mult_vae import train  # torch takes seconds to load

        train(self, history, self.context, folder, work)

    def learn(self, history: History) -> Learned:
        from hmgpu.parts.models.neural.mult_vae import article_vectors

        return {"articles": self.marked(article_vectors(self, self.context).lazy(), history)}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        from hmgpu.parts.models.neural.mult_vae import customer_vectors

        return {"customers": customer_vectors(self, audience, self.context).lazy()}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return self.near_and_place(learned, pairs)
