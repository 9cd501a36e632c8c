"""Train a network on encoded purchases of a History, and compute what it says of customers and articles."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl
import torch

from hmgpu.core.engine import Engine
from hmgpu.data.store import History
from hmgpu.parts.models.encode.columns import listed
from hmgpu.parts.models.space.embedding import Scorer, Tables, marked
from hmgpu.parts.models.towers.encoded_network import EncodedNetwork
from hmgpu.parts.models.towers.purchases import write_purchases
from hmgpu.parts.models.towers.settings import EncodedTraining
from hmgpu.parts.models.training.batches import FileBatches
from hmgpu.parts.models.training.held_out import held_out_recall, train_to
from hmgpu.parts.models.training.loop import Fitted, fit
from hmgpu.parts.models.training.weights import load_weights, save_weights
from hmgpu.parts.part import FittedEncoders, PartContext

log = logging.getLogger(__name__)

FACTS = "training.json"


@dataclass(frozen=True)
class EncodedVectors:
    """The training of a network on encoded purchases, and its tables."""

    network: Callable[[FittedEncoders], EncodedNetwork]
    """Returns the network with random weights from torch's generator."""
    scorer: Scorer
    """By which articles are scored from the tables."""
    weights: str
    """The file of the trained weights."""

    def train(
        self, settings: EncodedTraining, history: History, context: PartContext, folder: Path, work: Path
    ) -> None:
        """Train the network on the purchases before the cutoff and save it in `folder`.

        Of the week that is held out, recall@100 of what its customers bought decides when to stop. Where the History
        has no purchases to train on, no weights are saved, and nothing is said of anybody.
        """
        facts = train_to(settings, history, work, partial(self._fitted, context=context, folder=folder))
        if not (folder / self.weights).exists():
            log.warning(
                "%s proposes nothing: no article that was known was bought in the %d weeks before the held-out one; "
                "raise its `weeks`",
                settings.kind,
                settings.weeks,
            )
        (folder / FACTS).write_text(json.dumps(facts))

    def _fitted(
        self,
        settings: EncodedTraining,
        past: History,
        bought: pl.LazyFrame | None,
        work: Path,
        context: PartContext,
        folder: Path,
    ) -> Fitted | None:
        """Train the network on `past` and save it; what was `bought` in the week after it decides when to stop."""
        encoders, engine = context.encoders(), context.engine
        torch.manual_seed(context.seed)
        model = self.network(encoders)
        files = write_purchases(past, encoders, settings, work / "purchases", model.own_weights)
        if not files.bought:
            return None
        model.prepare(past, encoders, files, context.seed)
        score = None
        if bought is not None:
            wanted = engine.collect(bought)
            buyers = wanted.lazy().select("customer").unique()
            articles = encoders.articles(past)
            customers = encoders.customers(past.of(buyers), buyers, articles, settings.recent)
            selling = engine.collect(past.on_sale(settings.on_sale))
            rows = {"customers": customers, "articles": articles, "selling": selling, "bought": wanted}
            # No local functions: with several devices these are sent to several processes.
            score = partial(_recall, rows=rows, scorer=self.scorer, engine=engine)
        batches = partial(FileBatches, files.bought, settings.batch, engine)
        kept = fit(model, batches, score, settings, engine, context.seed, work)
        save_weights(model, folder / self.weights)
        return kept

    def article_tables(
        self, settings: EncodedTraining, history: History, context: PartContext
    ) -> dict[str, pl.DataFrame]:
        """Return what the network says of all articles that had been sold before, and their `codes`.

        The codes (key, …) describe customers by their latest articles. Articles that the network doesn't know are among
        them, and nowhere else.
        """
        encoders = context.encoders()
        articles = encoders.articles(history)
        codes = [column.name for column in listed(encoders.present)]
        model, rows = self._trained(context, articles)
        return model.article_tables(rows, context.engine) | {"codes": articles.select("key", *codes)}

    def customer_tables(
        self, settings: EncodedTraining, audience: History, codes: pl.DataFrame, context: PartContext
    ) -> dict[str, pl.DataFrame]:
        """Return what the network says of all customers of `audience`.

        Args:
            settings: of the network.
            audience: the History of the customers.
            codes: the codes that `article_tables` returned for the same cutoff.
            context: with the engine, the encoders and the trained network.
        """
        customers = audience.customers.select("customer")
        encoded = context.encoders().customers(audience, customers, codes, settings.recent)
        model, rows = self._trained(context, encoded)
        return model.customer_tables(rows, context.engine)

    def _trained(self, context: PartContext, rows: pl.DataFrame) -> tuple[EncodedNetwork, pl.DataFrame]:
        """Return the trained network and `rows`; none of them where there was nothing to train it on."""
        assert context.model is not None
        weights = context.model / self.weights
        model, trained = context.loaded(weights, partial(self._load, context.encoders(), weights))
        return model, rows if trained else rows.clear()

    def _load(self, encoders: FittedEncoders, weights: Path) -> tuple[EncodedNetwork, bool]:
        """Return the network, and whether it has weights."""
        model = self.network(encoders)
        if weights.exists():
            load_weights(model, weights)
        return model, weights.exists()


def _recall(model: torch.nn.Module, rows: Tables, scorer: Scorer, engine: Engine) -> float:
    """Return the recall of what was `bought` for the encoded `customers`, among the `articles` that are `selling`."""
    assert isinstance(model, EncodedNetwork)
    tables = model.article_tables(rows["articles"], engine) | model.customer_tables(rows["customers"], engine)
    tables["articles"] = engine.collect(marked(tables["articles"].lazy(), rows["selling"].lazy()))
    return held_out_recall(tables, rows["bought"], scorer, engine)
