"""Train the two towers on a History, and compute the vectors of customers and articles with them."""

import json
import logging
from functools import partial
from pathlib import Path

import polars as pl
import torch

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import quantised
from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.parts.models.encode.columns import listed
from hmgpu.parts.models.neural.batches import FileBatches, blank, tensors
from hmgpu.parts.models.neural.held_out import FACT, bought_in, held_out_recall
from hmgpu.parts.models.neural.negatives import OnSaleNegatives
from hmgpu.parts.models.neural.purchases import write_purchases
from hmgpu.parts.models.neural.settings import TwoTowerSettings
from hmgpu.parts.models.neural.towers import Side, Towers
from hmgpu.parts.models.neural.training import fit
from hmgpu.parts.models.neural.weights import load_weights, save_weights
from hmgpu.parts.part import FittedEncoders, PartContext

log = logging.getLogger(__name__)

WEIGHTS, FACTS = "towers.npz", "training.json"
SIDES: tuple[Side, ...] = ("customer", "article")
ROWS = 65_536  # rows that are encoded at once


def train(settings: TwoTowerSettings, history: History, context: PartContext, folder: Path, work: Path) -> None:
    """Train the towers on the purchases before the cutoff, except for the last week, and save them in `folder`.

    The last week is held out: recall@100 of what its customers bought decides when to stop. Where the History has no
    purchases to train on, no weights are saved, and nobody gets a vector.
    """
    encoders, engine = context.encoders(), context.engine
    held_out = history.cutoff - DAYS
    past = history.before(held_out)
    files = write_purchases(past, encoders, settings, work / "purchases")
    if not files.bought:
        log.warning(
            "two_tower proposes nothing: no article that was known was bought in the %d weeks before the held-out one; "
            "raise its `weeks`",
            settings.weeks,
        )
        (folder / FACTS).write_text(json.dumps({FACT: None}))
        return
    torch.manual_seed(context.seed)
    model = towers(settings, encoders)
    if settings.extra:
        model.negatives = OnSaleNegatives(files.on_sale, settings.extra, engine.device)
    bought = engine.collect(bought_in(history, held_out))
    judged = _rows(past, encoders, settings, bought.lazy().select("customer").unique())
    selling = engine.collect(past.on_sale(settings.on_sale))
    # No local functions: with several devices these are sent to several processes.
    score = partial(_recall, rows=judged, selling=selling, bought=bought, engine=engine)
    batches = partial(FileBatches, files.bought, settings.batch, engine)
    best = fit(model, batches, score, settings, engine, context.seed, work)
    save_weights(model, folder / WEIGHTS)
    (folder / FACTS).write_text(json.dumps({FACT: best}))


def article_vectors(
    settings: TwoTowerSettings, history: History, context: PartContext
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (article, `v…` int16) of all articles that had been sold before, and their codes.

    The codes (key, …) describe customers by their latest articles.
    """
    encoders = context.encoders()
    articles = encoders.articles(history)
    codes = [column.name for column in listed(encoders.present)]
    return _found(settings, articles, "article", context), articles.select("key", *codes)


def customer_vectors(
    settings: TwoTowerSettings, audience: History, articles: pl.DataFrame, context: PartContext
) -> pl.DataFrame:
    """Return (customer, `v…` int16) of all customers of `audience`.

    Args:
        settings: of the towers.
        audience: the History of the customers.
        articles: the codes that `article_vectors` returned for the same cutoff.
        context: with the engine, the encoders and the trained model.
    """
    customers = audience.customers.select("customer")
    encoded = context.encoders().customers(audience, customers, articles, settings.recent)
    return _found(settings, encoded, "customer", context)


def _found(settings: TwoTowerSettings, rows: pl.DataFrame, side: Side, context: PartContext) -> pl.DataFrame:
    model = _trained(settings, context)
    if model is None:
        return quantised(torch.empty(0), torch.empty(0, settings.dimensions), side)
    return _vectors(model, rows, side, context.engine)


def _trained(settings: TwoTowerSettings, context: PartContext) -> Towers | None:
    """Return the trained towers; None where there was nothing to train them on."""
    assert context.model is not None
    if not (context.model / WEIGHTS).exists():
        return None
    model = towers(settings, context.encoders())
    load_weights(model, context.model / WEIGHTS)
    return model


Rows = tuple[pl.DataFrame, pl.DataFrame]


def _rows(history: History, encoders: FittedEncoders, settings: TwoTowerSettings, customers: pl.LazyFrame) -> Rows:
    """Return the encoded `customers` and articles as of the history's cutoff."""
    articles = encoders.articles(history)
    return encoders.customers(history.of(customers), customers, articles, settings.recent), articles


def _recall(model: torch.nn.Module, rows: Rows, selling: pl.DataFrame, bought: pl.DataFrame, engine: Engine) -> float:
    """Return the recall of `bought` for the customers of `rows`, among the articles of `selling`."""
    customers, articles = (_vectors(model, table, side, engine) for side, table in zip(SIDES, rows, strict=True))
    return held_out_recall(customers, articles, selling, bought, engine)


def _vectors(model: torch.nn.Module, rows: pl.DataFrame, side: Side, engine: Engine) -> pl.DataFrame:
    """Return the vectors of one side's encoded `rows`, as a table."""
    assert isinstance(model, Towers)
    model = model.to(engine.device).eval()
    with torch.inference_mode():
        found = [model.encode(inputs, side).cpu() for inputs in tensors(rows.drop("key"), ROWS, engine.device)]
    vectors = torch.cat(found) if found else torch.empty(0, model.dimensions)
    return quantised(torch.from_numpy(rows["key"].to_numpy().copy()), vectors, side)


def towers(settings: TwoTowerSettings, encoders: FittedEncoders) -> Towers:
    """Build towers with random weights from torch's generator."""
    customer, article = encoders.schema("customer", "context"), encoders.schema("article")
    built = Towers(customer, article, settings.width, settings.hidden, settings.dimensions, settings.temperature)
    return built.initialize(blank([*customer, *article]))
