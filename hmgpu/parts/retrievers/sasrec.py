"""Self-attention over what a customer bought, in order and with the days between: the nearest articles to what follows.

SASRec (Kang & McAuley 2018, "Self-attentive sequential recommendation"), with the loss of gSASRec (Petrov & Macdonald
2023) and the blocks of eSASRec (Tikhonovich et al. 2025); the network is in `models/sequences/self_attention.py`. It is
trained to answer, for every day on which a customer bought, what they bought then, from what they had bought before.
"""

from hmgpu.parts.models.sequences.settings import SASRecSettings
from hmgpu.parts.models.space.trained_embedding import TrainedEmbedding, TrainingFunctions
from hmgpu.parts.retriever import Candidates


class SASRec(SASRecSettings, TrainedEmbedding):
    """The nearest articles on sale to what a customer's purchases lead to; as a feature, how near each candidate is.

    Articles are known by an embedding of their own, by the fields of the catalogue, and by how well they sold in
    the last week and the last four; new ones by the latter two. Customers who have not bought yet are known by
    their age.
    """

    n: Candidates = 100

    def training(self) -> TrainingFunctions:
        from hmgpu.parts.models.sequences import sasrec  # torch takes seconds to load

        return sasrec
