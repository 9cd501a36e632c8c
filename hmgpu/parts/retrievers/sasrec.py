"""Self-attention over what a customer bought, in order and with the days between: the nearest articles to what follows.

SASRec (Kang & McAuley 2018, "Self-attentive sequential recommendation"), with the loss of gSASRec (Petrov & Macdonald
2023) and the blocks of eSASRec (Tikhonovich et al. 2025); the network is in `models/neural/self_attention.py`. It is
trained to answer, for every day on which a customer bought, what they bought then, from what they had bought before.
"""

from pathlib import Path

import polars as pl

from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.parts.models.neural.embedding import Embedding
from hmgpu.parts.models.neural.settings import SASRecSettings
from hmgpu.parts.part import Learned, Trained
from hmgpu.parts.retriever import Candidates


class SASRec(SASRecSettings, Trained, Embedding):
    """The nearest articles on sale to what a customer's purchases lead to; as a feature, how near each candidate is.

    Articles are known by an embedding of their own, by the fields of the catalogue, and by how well they sold in
    the last week and the last four; new ones by the latter two. Customers who have not bought yet are known by
    their age.
    """

    n: Candidates = 100

    compares = True

    def needs_days(self) -> int:
        return 2 * DAYS + 1  # a week to stop by, a week to train on, and something bought before it

    def needs_packages(self) -> frozenset[str]:
        return super().needs_packages() | {"pytorch_lightning"}

    def train(self, history: History, folder: Path, work: Path) -> None:
        from hmgpu.parts.models.neural.sasrec import train  # torch takes seconds to load

        train(self, history, self.context, folder, work)

    def learn(self, history: History) -> Learned:
        from hmgpu.parts.models.neural.sasrec import article_vectors

        articles, coded = article_vectors(self, history, self.context)
        return {"articles": self.marked(articles.lazy(), history), "coded": coded.lazy()}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        from hmgpu.parts.models.neural.sasrec import customer_vectors

        articles = self.context.engine.collect(learned["coded"].sort("article"))
        return {"customers": customer_vectors(self, audience, articles, self.context).lazy()}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return self.near_and_place(learned, pairs)
