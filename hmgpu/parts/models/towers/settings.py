"""Settings of the networks on encoded purchases; reading a config doesn't load torch."""

from typing import Annotated

from pydantic import Field

from hmgpu.parts.models.training.settings import HistoryTraining
from hmgpu.parts.part import Category, Count


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
