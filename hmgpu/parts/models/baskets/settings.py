"""Settings of the networks that know customers by what they bought; reading a config doesn't load torch."""

from typing import Annotated

from pydantic import Field

from hmgpu.data.weeks import DAYS
from hmgpu.parts.models.training.settings import HistoryTraining, LastWeek
from hmgpu.parts.part import Count


class BasketSettings(HistoryTraining):
    """What networks that know customers by what they bought lately know of them; see `basket_vectors.py`."""

    days: Count = 91
    """Days before the cutoff whose purchases describe a customer, in training as in serving."""
    on_sale: Count = 28
    """Only articles that sold in this many days before the cutoff are proposed."""
    support: Count = 3
    """Units of an article that must have been bought in the days of the training for the network to know it."""
    last_week: LastWeek = "again"

    @property
    def looks_back(self) -> int:
        """Days back from its last one that training looks at."""
        return self.days


class MultVAESettings(BasketSettings):
    """The layers of the autoencoder of purchases and how it is trained; see `retrievers/mult_vae.py`."""

    width: Count = 256
    """Width of the hidden layer between a customer's purchases and their vector."""
    dimensions: Count = 64
    """Length of the vectors of customers; longer ones hold finer tastes and make retrieval slower."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Share of a customer's purchases that are left out at random in a training step, and must be found again."""
    beta: Annotated[float, Field(ge=0)] = 0.2
    """Weight that the divergence of customers' vectors from the normal distribution ends with; more overfits less."""
    anneal: Count = 500
    """Training steps in which that weight grows from 0."""
    batch: Count = 256
    """Customers in each training step, on each device. A step holds a number for each of them and each article."""
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    """Step size of the optimiser AdamW; larger learns faster, and fails to converge if it is too large."""


class TargetSettings(BasketSettings):
    """What networks are trained on that are to find what was bought in a week; see `targets.py`."""

    weeks: Count = 12
    """Weeks of purchases to train on, before the held-out one where one is held out."""

    @property
    def looks_back(self) -> int:
        return self.days + DAYS * self.weeks


class NeuMFSettings(TargetSettings):
    """The layers of the neural matrix factorisation and how it is trained; see `retrievers/neumf.py`."""

    on_sale: Count = 28
    """Only articles that sold in this many days before the cutoff are proposed, or sampled as negatives."""
    negatives: Count = 5
    """Articles on sale, sampled at random, for each purchase in training."""
    power: Annotated[float, Field(ge=0)] = 0.0
    """Negatives are sampled in proportion to an article's sales to this power: 1 by sales, 0 all equally likely."""
    dimensions: Count = 32
    """Length of the two vectors of an article, one that is multiplied with the customer's and one for the layers."""
    layers: Annotated[tuple[Count, ...], Field(min_length=1)] = (32, 16)
    """Widths of the layers above the vectors of customer and article. Each article on sale goes through them for each
    customer."""
    batch: Count = 1024
    """Purchases in each training step, on each device. A larger batch is faster and needs more memory."""
