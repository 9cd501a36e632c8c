"""Train self-attention over purchases on a History, and compute the vectors of customers and articles with it."""

import json
import logging
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import torch

from hmgpu.core.engine import Engine
from hmgpu.core.parquet import read_table
from hmgpu.core.vectors import quantised, shortened
from hmgpu.data.store import History
from hmgpu.parts.models.sequences.coded_articles import articles_with_ids, coded_articles, matrix_of, sizes_of_fields
from hmgpu.parts.models.sequences.self_attention import SelfAttention
from hmgpu.parts.models.sequences.sequences import (
    BAND,
    PLACES,
    SEQUENCE_DAYS,
    by_width,
    sequences,
    write_sequences,
)
from hmgpu.parts.models.sequences.settings import SASRecSettings
from hmgpu.parts.models.sequences.supply import sales_bands, supply
from hmgpu.parts.models.space.embedding import marked
from hmgpu.parts.models.space.topk import DotProducts
from hmgpu.parts.models.training.batches import FileBatches, padded, whole
from hmgpu.parts.models.training.held_out import held_out_recall, train_to
from hmgpu.parts.models.training.loop import Fitted, fit
from hmgpu.parts.models.training.weights import load_weights, save_weights
from hmgpu.parts.part import PartContext

log = logging.getLogger(__name__)

WEIGHTS, FACTS, IDS = "self_attention.npz", "training.json", "articles.parquet"
AT_ONCE = 4096  # entries of sequences that are computed at once, always as many: other shapes have other last bits
ROWS = 65_536  # articles that are computed at once


def train(settings: SASRecSettings, history: History, context: PartContext, folder: Path, work: Path) -> None:
    """Train on the purchases before the cutoff and save the network in `folder`.

    Of the week that is held out, recall@100 of what its customers bought decides when to stop. Where the History has no
    purchases to train on, no weights are saved, and nobody gets a vector.
    """
    sizes = dict[str, int]()
    facts = train_to(settings, history, work, partial(_fitted, sizes=sizes, context=context, folder=folder))
    if not (folder / WEIGHTS).exists():
        log.warning(
            "sasrec proposes nothing: nobody bought in the %d weeks before the held-out one; raise its `weeks`",
            settings.weeks,
        )
    (folder / FACTS).write_text(json.dumps({**facts, "sizes": sizes}))


def _fitted(
    settings: SASRecSettings,
    past: History,
    bought: pl.LazyFrame | None,
    work: Path,
    sizes: dict[str, int],
    context: PartContext,
    folder: Path,
) -> Fitted | None:
    """Train a network on `past` and save its weights; what was `bought` in the week after it decides when to stop.

    The sizes of the network's tables are put into `sizes`, and the ids of articles into `folder`.
    """
    engine = context.engine
    ids = articles_with_ids(past, settings.support, engine)
    ids.write_parquet(folder / IDS)
    sizes.update({"id": ids.height + 1} | sizes_of_fields(past, engine))
    articles = coded_articles(past, ids, sizes, engine)
    files = write_sequences(past, articles, settings, engine, work / "sequences")
    if not files:
        return None
    torch.manual_seed(context.seed)
    model = SelfAttention(list(sizes.values()), settings)
    bands = sales_bands(past, articles, settings.weeks, engine)
    model.learn_from(matrix_of(articles), supply(past, articles, settings, engine), bands, past.cutoff)
    score = None
    if bought is not None:
        wanted = engine.collect(bought)
        buyers = past.of(wanted.lazy().select("customer").unique())
        asked = sequences(buyers, articles, settings.recent, engine, asking=True)
        selling = engine.collect(past.on_sale(settings.on_sale))
        # No local functions: with several devices these are sent to several processes.
        facts = {"asked": asked, "articles": articles, "bands": bands[0], "selling": selling, "bought": wanted}
        score = partial(_recall, **facts, engine=engine)
    batches = partial(FileBatches, files, settings.batch, engine)
    kept = fit(model, batches, score, settings, engine, context.seed, work)
    save_weights(model, folder / WEIGHTS)
    return kept


def article_tables(settings: SASRecSettings, history: History, context: PartContext) -> dict[str, pl.DataFrame]:
    """Return `articles` (article, `v…` int16) that had been sold before, and their `codes`.

    The codes (article, place, …) are what sequences of the same cutoff are made of.
    """
    model, ids, sizes = _trained(settings, context)
    codes = coded_articles(history, ids, sizes, context.engine)
    if model is None:
        return {"articles": _nothing(settings, "article"), "codes": codes}
    bands = sales_bands(history, codes, 0, context.engine)[0]
    return {"articles": _vectors_of_articles(model, codes, bands, context.engine), "codes": codes}


def customer_tables(
    settings: SASRecSettings, audience: History, codes: pl.DataFrame, context: PartContext
) -> dict[str, pl.DataFrame]:
    """Return `customers` (customer, `v…` int16): all of `audience`.

    Args:
        settings: of the network.
        audience: the History of the customers.
        codes: the codes that `article_tables` returned for the same cutoff.
        context: with the engine and the trained model.
    """
    model, _, _ = _trained(settings, context)
    if model is None:
        return {"customers": _nothing(settings, "customer")}
    asked = sequences(audience, codes, settings.recent, context.engine, asking=True)
    return {"customers": _vectors_of_customers(model, asked, codes, context.engine)}


Trained = tuple[SelfAttention | None, pl.DataFrame, dict[str, int]]


def _trained(settings: SASRecSettings, context: PartContext) -> Trained:
    """Return the trained network, None where there was nothing to train it on, the ids and the sizes of its tables."""
    assert context.model is not None
    return context.loaded(context.model, partial(_load, settings, context.model))


def _load(settings: SASRecSettings, folder: Path) -> Trained:
    ids = read_table(folder / IDS)
    if not (folder / WEIGHTS).exists():
        return None, ids, {"id": ids.height + 1}
    sizes = json.loads((folder / FACTS).read_text(encoding="utf-8"))["sizes"]
    model = SelfAttention(list(sizes.values()), settings)
    load_weights(model, folder / WEIGHTS)
    return model, ids, sizes


def _nothing(settings: SASRecSettings, key: str) -> pl.DataFrame:
    return quantised(torch.empty(0), torch.empty(0, settings.dimensions), key)


def _recall(
    model: torch.nn.Module,
    asked: pl.DataFrame,
    articles: pl.DataFrame,
    bands: npt.NDArray[np.uint8],
    selling: pl.DataFrame,
    bought: pl.DataFrame,
    engine: Engine,
) -> float:
    """Return the recall of `bought` for the customers of the sequences `asked`, among the articles of `selling`."""
    assert isinstance(model, SelfAttention)
    vectors = marked(_vectors_of_articles(model, articles, bands, engine).lazy(), selling.lazy())
    customers = _vectors_of_customers(model, asked, articles, engine)
    return held_out_recall({"articles": engine.collect(vectors), "customers": customers}, bought, DotProducts(), engine)


def _vectors_of_articles(
    model: SelfAttention, articles: pl.DataFrame, bands: npt.NDArray[np.uint8], engine: Engine
) -> pl.DataFrame:
    model = model.to(engine.device).eval()
    blocks = (torch.split(each.to(engine.device), ROWS) for each in (matrix_of(articles), torch.from_numpy(bands)))
    with torch.inference_mode():
        found = torch.cat([model.articles(*some).cpu() for some in zip(*blocks, strict=True)])
    return quantised(torch.from_numpy(articles["article"].to_numpy().copy()), shortened(found), "article")


def _vectors_of_customers(
    model: SelfAttention, asked: pl.DataFrame, articles: pl.DataFrame, engine: Engine
) -> pl.DataFrame:
    """Return the answers to the last question of each sequence."""
    model = model.to(engine.device).eval()
    codes = matrix_of(articles).to(engine.device)
    keys, found = [pl.Series("customer", [], pl.Int32)], [torch.empty(0, model.settings.dimensions)]
    with torch.inference_mode():
        for width, rows in by_width(asked):
            for some in rows.iter_slices(AT_ONCE // width):
                inputs = whole(some.select(PLACES, SEQUENCE_DAYS, BAND), engine.device)
                missing = AT_ONCE // width - some.height
                places, days, band = (
                    torch.nn.functional.pad(each, (0,) * (2 * each.dim() - 1) + (missing,))
                    for each in (padded(inputs, PLACES, width), padded(inputs, SEQUENCE_DAYS, width), inputs[BAND])
                )
                last = torch.from_numpy(some[PLACES].list.len().to_numpy().astype("int64")) - 1
                answers = model.answers(codes, places, days, band)
                found.append(answers[torch.arange(some.height), last.to(engine.device)].cpu())
                keys.append(some["customer"])
    return quantised(torch.from_numpy(pl.concat(keys).to_numpy().copy()), torch.cat(found), "customer")
