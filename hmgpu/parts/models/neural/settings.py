"""Settings of trained torch models, kept apart from the training loop so that reading a config doesn't load torch."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hmgpu.data.weeks import DAYS
from hmgpu.parts.part import Category, Count, Part

LastWeek = Literal["held-out", "again", "trained"]


class Training(Part):
    """How a torch model is trained."""

    epochs: Count = 20
    """The most passes over the training examples."""
    patience: Count = 3
    """Training stops after this many passes without a better score on the held-out week."""
    batch: Count = 2048
    """Examples in each training step, on each device. A larger batch is faster and needs more memory."""
    accumulate: Count = 1
    """Steps whose gradients are added up before the weights change; 4 acts like a batch four times as large, without
    the memory for it."""
    learning_rate: Annotated[float, Field(gt=0)] = 5e-3
    """Step size of the optimiser AdamW; larger learns faster, and fails to converge if it is too large."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Weight decay of AdamW, which shrinks the weights in every step; more overfits less."""
    devices: Count = 1
    """Processes that train together: one for each GPU, or on the CPU one for each share of the cores."""


class HistoryTraining(Training):
    """How a network is trained on what was bought before a cutoff."""

    last_week: LastWeek = "held-out"
    """What becomes of the week before the cutoff. held-out: it decides when to stop, and is not trained on; again: it
    does, and then all is trained again, that week too, for as many passes; trained: it is trained on as all others are,
    for `epochs` passes."""


class EncodedTraining(HistoryTraining):
    """How a network is trained on encoded purchases; see `encoded_vectors.py`."""

    on_sale: Count = 28
    """Only articles that sold in this many days before the cutoff are proposed, or sampled as extra negatives."""
    weeks: Count = 26
    """Weeks of purchases to train on, before the held-out one where one is held out."""
    half_life: Annotated[float, Field(gt=0)] = 8.0
    """Weeks (not days) after which a purchase counts half as much in training."""
    recent: Count = 16
    """Latest articles of a customer that describe them to the network."""
    hidden: tuple[Count, ...] = (128,)
    """Widths of the hidden layers of each tower; [256, 128] means two layers."""
    dimensions: Count = 64
    """Length of the vectors of customers and articles; longer ones hold finer tastes and make retrieval slower."""


class SampledSoftmaxSettings(EncodedTraining):
    """How a network is trained to tell what a customer bought from other articles."""

    temperature: Annotated[float, Field(gt=0)] = 0.05
    """Divides the cosine of two vectors in the loss; lower values tell similar articles apart more sharply."""
    extra: Annotated[int, Field(ge=0)] = 256
    """Negatives for each batch that are sampled from all articles on sale, in addition to the batch's own articles."""
    extra_power: Annotated[float, Field(ge=0)] = 0.5
    """Extra negatives are sampled in proportion to an article's sales to this power: 1 by sales, 0 all equally
    likely."""


class TwoTowerSettings(SampledSoftmaxSettings):
    """The layers of the two towers and how they are trained; see `retrievers/two_tower.py`."""

    width: Count = 32
    """Length of the largest embeddings; columns with few different values get shorter ones."""


class DSSMSettings(SampledSoftmaxSettings):
    """The layers of the two networks over bags and how they are trained; see `retrievers/dssm.py`."""

    hidden: Annotated[tuple[Count, ...], Field(min_length=1)] = (128, 128)
    """Widths of the layers of each side; the first is what the bag of fields is projected to."""


class YouTubeDNNSettings(SampledSoftmaxSettings):
    """The layers over what a customer bought last and how they are trained; see `retrievers/youtube_dnn.py`."""

    width: Count = 64
    """Length of the largest embeddings, those of the articles that a customer bought; columns with few different values
    get shorter ones."""
    hidden: tuple[Count, ...] = (128,)
    """Widths of the hidden layers above the customer's embeddings; [256, 128] means two layers."""


class HierarchicalSoftmaxSettings(EncodedTraining):
    """The classes and layers of a hierarchical softmax; see `retrievers/hierarchical_softmax.py`."""

    classes: Annotated[int, Field(ge=0)] = 0
    """Classes that articles are put into by who buys them. 0 makes it the square root of the number of articles."""
    temperature: Annotated[float, Field(gt=0)] = 0.05
    """Divides the cosine of two vectors in the loss; lower values tell similar articles apart more sharply."""
    by: Category | None = None
    """A category of the catalogue whose values are the classes, such as `department`. null finds classes by k-means."""
    width: Count = 64
    """Length of the largest embeddings, those of the articles that a customer bought; columns with few different values
    get shorter ones."""
    hidden: tuple[Count, ...] = (128,)
    """Widths of the hidden layers above the customer's embeddings; [256, 128] means two layers."""


class TDMSettings(EncodedTraining):
    """The tree of articles, the layers over it and how both are learned; see `retrievers/tdm.py`."""

    levels: Annotated[int, Field(ge=1, le=8)] = 2
    """Levels of the tree above the articles, without the root."""
    branches: Annotated[int, Field(ge=0)] = 0
    """Into how many each node of the tree branches. 0 takes so many that the lowest nodes have as many articles."""
    beam: Count = 64
    """Nodes of a level whose children are looked at when articles are searched; more miss less and take longer."""
    negatives: Count = 8
    """Negatives that are sampled for each purchase, on each level and among the articles."""
    rebuild: bool = True
    """Whether the tree is built again between passes, by the vectors that its articles have by then."""
    layers: tuple[Count, ...] = (32,)
    """Widths of the hidden layers that score a node for a customer."""
    learning_rate: Annotated[float, Field(gt=0)] = 1e-2
    """Step size of the optimiser AdamW; larger learns faster, and fails to converge if it is too large."""
    width: Count = 64
    """Length of the largest embeddings, those of the articles that a customer bought; columns with few different values
    get shorter ones."""


class SASRecSettings(HistoryTraining):
    """The layers of the self-attention over purchases and how it is trained; see `retrievers/sasrec.py`."""

    on_sale: Count = 28
    """Only articles that sold in this many days before the cutoff are proposed; in training, an article is a negative
    until this many days after it last sold."""
    weeks: Count = 26
    """Weeks of purchases that are predicted in training, each from all that its customer bought on earlier days."""
    last_week: LastWeek = "again"
    """What becomes of the week before the cutoff. held-out: it decides when to stop, and is not trained on; again: it
    does, and then all is trained again, that week too, for as many passes; trained: it is trained on as all others are,
    for `epochs` passes. What is new is known to that week alone."""
    half_life: Annotated[float, Field(gt=0)] = 8.0
    """Weeks (not days) after which a purchase counts half as much in training."""
    recent: Count = 50
    """Latest purchases of a customer that are looked at."""
    support: Count = 3
    """Units that must have been bought of an article for it to get an embedding of its own; what sold less, or is newer
    than the training, is known by its fields alone."""
    dimensions: Count = 64
    """Length of the vectors of customers and articles, and of all that passes between the blocks."""
    blocks: Count = 2
    """Blocks of attention, one on top of the other."""
    heads: Count = 2
    """Attentions side by side in each block; twice their number must divide `dimensions`."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    """Share of each block's output that is left out at random in a training step; more overfits less."""
    temperature: Annotated[float, Field(gt=0)] = 0.1
    """Divides the cosine of two vectors in the loss; lower values tell similar articles apart more sharply."""
    extra: Annotated[int, Field(ge=0)] = 512
    """Negatives for each batch that are sampled from all articles of the training weeks, in addition to what others in
    the batch bought."""
    extra_power: Annotated[float, Field(ge=0)] = 0.5
    """Extra negatives are sampled in proportion to an article's sales to this power: 1 by sales, 0 all equally
    likely."""
    batch: Count = 64
    """Customers in each training step, on each device. A larger batch is faster and needs more memory."""
    learning_rate: Annotated[float, Field(gt=0)] = 2e-3
    """Step size of the optimiser AdamW; larger learns faster, and fails to converge if it is too large."""

    @model_validator(mode="after")
    def _heads_share_the_dimensions(self) -> Self:
        if self.dimensions % (2 * self.heads):
            raise ValueError(f"dimensions {self.dimensions} can't be divided by twice the heads, {2 * self.heads}")
        return self


class BasketSettings(HistoryTraining):
    """What networks that know customers by what they bought lately know of them; see `basket_vectors.py`."""

    days: Count = 91
    """Days before the cutoff whose purchases describe a customer, in training as in serving."""
    on_sale: Count = 28
    """Only articles that sold in this many days before the cutoff are proposed."""
    support: Count = 3
    """Units of an article that must have been bought in the days of the training for the network to know it."""
    last_week: LastWeek = "again"
    """What becomes of the week before the cutoff. held-out: it decides when to stop, and is not trained on; again: it
    does, and then all is trained again, that week too, for as many passes; trained: it is trained on as all others are,
    for `epochs` passes. Only what sold before the training is known."""

    @property
    def looks_back(self) -> int:
        """Days before the held-out week that training looks at."""
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


class NeuMFSettings(BasketSettings):
    """The layers of the neural matrix factorisation and how it is trained; see `retrievers/neumf.py`."""

    on_sale: Count = 28
    """Only articles that sold in this many days before the cutoff are proposed, or sampled as negatives."""
    weeks: Count = 12
    """Weeks of purchases to train on. The last week before the cutoff comes on top: it is held out to decide when to
    stop."""
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

    @property
    def looks_back(self) -> int:
        return self.days + DAYS * self.weeks
