"""Mult-VAE: a variational autoencoder of what customers bought, with a multinomial likelihood.

Liang, Krishnan, Hoffman & Jebara 2018 ("Variational autoencoders for collaborative filtering"). The decoder is one
layer, as in RecVAE (Shenbin et al. 2020): so an article's score is a dot product of two vectors and a constant.
"""

import json
import logging
from functools import partial
from pathlib import Path

import polars as pl
import torch
from torch import nn
from torch.nn import functional

from hmgpu.core.engine import Engine
from hmgpu.core.parquet import read_table
from hmgpu.core.vectors import quantised, shortened
from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.parts.models.neural.baskets import BASKET, baskets, known_articles, write_baskets
from hmgpu.parts.models.neural.batches import OFFSETS, VALUES, FileBatches, Inputs, whole
from hmgpu.parts.models.neural.held_out import FACT, bought_in, held_out_recall
from hmgpu.parts.models.neural.settings import MultVAESettings
from hmgpu.parts.models.neural.training import fit
from hmgpu.parts.models.neural.weights import load_weights, save_weights
from hmgpu.parts.part import PartContext

log = logging.getLogger(__name__)

WEIGHTS, FACTS, ARTICLES = "mult_vae.npz", "training.json", "articles.parquet"
AT_ONCE = 4096  # customers that are encoded at once, always as many: other shapes have other last bits
SMALL = 0.1  # standard deviation of embeddings at the start


class MultVAE(nn.Module):
    """The network. What a customer bought becomes a normal distribution of vectors; each article has a vector too."""

    steps: torch.Tensor

    def __init__(self, articles: int, settings: MultVAESettings) -> None:
        super().__init__()
        self.settings = settings
        self.bought = nn.EmbeddingBag(articles, settings.width, mode="sum", include_last_offset=True)
        self.constant = nn.Parameter(torch.zeros(settings.width))
        self.ends = nn.Linear(settings.width, 2 * settings.dimensions)
        self.articles = nn.Linear(settings.dimensions, articles)
        nn.init.normal_(self.bought.weight, std=SMALL)
        nn.init.normal_(self.articles.weight, std=SMALL)
        self.register_buffer("steps", torch.zeros(()))  # so that a resumed training anneals as an uninterrupted one

    def encode(self, inputs: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and logarithm of the variance of each customer's distribution: (rows, dimensions) each."""
        values, offsets = inputs[BASKET + VALUES], inputs[BASKET + OFFSETS]
        sizes = offsets.diff()
        # Each list has length 1, however many articles are in it.
        weights = sizes.clamp(min=1).float().rsqrt().repeat_interleave(sizes)
        weights = functional.dropout(weights, self.settings.dropout, self.training)
        hidden = torch.tanh(self.bought(values, offsets, per_sample_weights=weights) + self.constant)
        mean, log_variance = self.ends(hidden).chunk(2, dim=1)
        return mean, log_variance

    def losses(
        self, inputs: Inputs, mean: torch.Tensor, log_variance: torch.Tensor, noise: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what each customer's purchases and their distribution cost, in nats: (rows,) each.

        The first is minus the log-likelihood of their purchases in a multinomial distribution over all articles, the
        second the Kullback-Leibler divergence of their distribution from the standard normal one.
        """
        values, offsets = inputs[BASKET + VALUES].long(), inputs[BASKET + OFFSETS]
        sizes, vectors = offsets.diff(), (mean + noise * (log_variance / 2).exp()).float()
        with torch.autocast(vectors.device.type, enabled=False):  # in bfloat16 many articles would have one logit
            logits = self.articles(vectors)
        row = torch.repeat_interleave(torch.arange(len(sizes), device=values.device), sizes)
        own = torch.zeros(len(sizes), device=values.device).index_add(0, row, logits[row, values])
        unlikely = sizes * logits.logsumexp(1) - own
        return unlikely, (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).float() / 2

    def loss(self, batch: tuple[Inputs, None]) -> tuple[torch.Tensor, int]:
        """Return the mean loss of a batch of customers, with the divergence's weight at this step, and their number."""
        mean, log_variance = self.encode(batch[0])
        unlikely, divergence = self.losses(batch[0], mean, log_variance, torch.randn_like(mean))
        self.steps += 1
        weight = self.settings.beta * (self.steps / self.settings.anneal).clamp(max=1)
        return (unlikely + weight * divergence).mean(), len(mean)


def train(settings: MultVAESettings, history: History, context: PartContext, folder: Path, work: Path) -> None:
    """Train on the purchases before the cutoff, except for the last week, and save the network in `folder`.

    The last week is held out: recall@100 of what its customers bought decides when to stop. Where the History has no
    purchases to train on, no weights are saved, and nobody gets a vector.
    """
    engine, held_out = context.engine, history.cutoff - DAYS
    past = history.before(held_out)
    articles = known_articles(past, settings.days, settings.support, engine)
    articles.write_parquet(folder / ARTICLES)
    if articles.is_empty():
        log.warning(
            "mult_vae proposes nothing: no article was bought %d times in the %d days before the held-out week; lower "
            "its `support`",
            settings.support,
            settings.days,
        )
        (folder / FACTS).write_text(json.dumps({FACT: None}))
        return
    files = write_baskets(past, articles, settings.days, engine, work / "baskets")
    torch.manual_seed(context.seed)
    model = MultVAE(articles.height, settings)
    bought = engine.collect(bought_in(history, held_out))
    asked = baskets(past.of(bought.lazy().select("customer").unique()), articles, settings.days, engine)
    selling = engine.collect(past.on_sale(settings.on_sale))
    # No local functions: with several devices these are sent to several processes.
    score = partial(_recall, asked=asked, articles=articles, selling=selling, bought=bought, engine=engine)
    best = fit(model, partial(FileBatches, files, settings.batch, engine), score, settings, engine, context.seed, work)
    save_weights(model, folder / WEIGHTS)
    (folder / FACTS).write_text(json.dumps({FACT: best}))


def article_vectors(settings: MultVAESettings, context: PartContext) -> pl.DataFrame:
    """Return (article, `v…` int16) of the articles that the network knows."""
    model, articles = _trained(settings, context)
    return _vectors_of_articles(model, articles)


def customer_vectors(settings: MultVAESettings, audience: History, context: PartContext) -> pl.DataFrame:
    """Return (customer, `v…` int16) of those in `audience` who bought an article that the network knows."""
    model, articles = _trained(settings, context)
    rows = baskets(audience, articles, settings.days, context.engine)
    return _vectors_of_customers(model, rows, context.engine)


def _trained(settings: MultVAESettings, context: PartContext) -> tuple[MultVAE, pl.DataFrame]:
    """Return the trained network, and (article, place) of the articles that it knows: none if it wasn't trained."""
    assert context.model is not None
    articles = read_table(context.model / ARTICLES)
    model = MultVAE(articles.height, settings)
    if not articles.is_empty():
        load_weights(model, context.model / WEIGHTS)
    return model, articles


def _recall(
    model: nn.Module,
    asked: pl.DataFrame,
    articles: pl.DataFrame,
    selling: pl.DataFrame,
    bought: pl.DataFrame,
    engine: Engine,
) -> float:
    """Return the recall of `bought` for the customers of the baskets `asked`, among the articles of `selling`."""
    assert isinstance(model, MultVAE)
    vectors = _vectors_of_articles(model, articles)
    return held_out_recall(_vectors_of_customers(model, asked, engine), vectors, selling, bought, engine)


def _vectors_of_articles(model: MultVAE, articles: pl.DataFrame) -> pl.DataFrame:
    """Return the articles' vectors, their constants in the last place; the longest has length 1."""
    with torch.inference_mode():
        vectors = torch.cat([model.articles.weight, model.articles.bias[:, None]], dim=1)
        # What all articles have in common orders nothing, and would make the vectors longer.
        vectors = shortened(vectors - vectors.mean(0)) if len(vectors) else vectors
    return quantised(torch.from_numpy(articles["article"].to_numpy().copy()), vectors, "article")


def _vectors_of_customers(model: MultVAE, rows: pl.DataFrame, engine: Engine) -> pl.DataFrame:
    """Return the means of the distributions of the customers of `rows` (customer, basket), and a one: length 1."""
    model = model.to(engine.device).eval()
    found = [torch.empty(0, model.settings.dimensions + 1)]
    with torch.inference_mode():
        for some in rows.iter_slices(AT_ONCE):
            inputs = whole(some.select(BASKET), engine.device)
            ends = inputs[BASKET + OFFSETS]
            inputs[BASKET + OFFSETS] = functional.pad(ends, (0, AT_ONCE - some.height), value=int(ends[-1]))
            mean, _ = model.encode(inputs)
            vectors = torch.cat([mean, torch.ones_like(mean[:, :1])], dim=1)[: some.height]
            found.append(functional.normalize(vectors, dim=1).cpu())
    return quantised(torch.from_numpy(rows["customer"].to_numpy().copy()), torch.cat(found), "customer")
