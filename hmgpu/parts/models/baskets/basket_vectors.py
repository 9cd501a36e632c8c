"""Networks that know customers by what they bought lately and articles by vectors of their own: all but the network."""

import json
import logging
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import torch
from torch import nn
from torch.nn import functional

from hmgpu.core.engine import Engine
from hmgpu.core.parquet import read_table
from hmgpu.core.vectors import quantised
from hmgpu.data.store import History
from hmgpu.parts.models.baskets.baskets import BASKET, baskets, known_articles
from hmgpu.parts.models.baskets.settings import BasketSettings
from hmgpu.parts.models.space.embedding import Scorer, marked
from hmgpu.parts.models.training.batches import OFFSETS, VALUES, FileBatches, Inputs, whole
from hmgpu.parts.models.training.held_out import held_out_recall, train_to
from hmgpu.parts.models.training.loop import Fitted, fit
from hmgpu.parts.models.training.weights import load_weights, save_weights
from hmgpu.parts.part import PartContext

log = logging.getLogger(__name__)

WEIGHTS, FACTS, ARTICLES = "network.npz", "training.json", "articles.parquet"
AT_ONCE = 4096  # customers that are encoded at once, always as many: other shapes have other last bits


class BasketNetwork(nn.Module):
    """A network of so many articles, with random weights from torch's generator."""

    def __init__(self, articles: int, settings: Any) -> None:
        super().__init__()
        self.settings = settings
        self.bought = nn.EmbeddingBag(articles, self.width(settings), mode="sum", include_last_offset=True)

    @staticmethod
    @abstractmethod
    def width(settings: Any) -> int:
        """Return the length of what is added up of the articles that a customer bought."""

    @abstractmethod
    def customers(self, inputs: Inputs) -> torch.Tensor:
        """Return the vectors of customers by their baskets: (rows, length), each number between -15 and 15."""

    @abstractmethod
    def items(self) -> torch.Tensor:
        """Return the vectors of all articles, likewise."""

    @abstractmethod
    def loss(self, batch: tuple[Inputs, None]) -> tuple[torch.Tensor, int]:
        """Return the mean loss of a batch, and its number of rows."""

    @abstractmethod
    def write(self, past: History, articles: pl.DataFrame, context: PartContext, folder: Path) -> list[Path]:
        """Write what it is trained on into the new `folder`, and return the files."""

    def article_vectors(self, articles: pl.DataFrame, history: History, context: PartContext) -> pl.DataFrame:
        """Return (article, `v…` int16) as of `history`: of `articles` (article, place), and of any others."""
        return vectors_of_articles(self, articles)

    def weights(self) -> dict[str, pl.DataFrame]:
        """Return what scores are computed from besides vectors, as tables."""
        return {}

    def basket(self, inputs: Inputs, dropout: float = 0.0) -> torch.Tensor:
        """Return the sums of what customers bought, each list scaled to length 1: (rows, width).

        In training, `dropout` is the share of purchases that are left out at random.
        """
        offsets = inputs[BASKET + OFFSETS]
        sizes = offsets.diff()
        weights = sizes.clamp(min=1).float().rsqrt().repeat_interleave(sizes)
        weights = functional.dropout(weights, dropout, self.training)
        found: torch.Tensor = self.bought(inputs[BASKET + VALUES], offsets, per_sample_weights=weights)
        return found


@dataclass(frozen=True)
class BasketVectors:
    """Trains such a network, and computes vectors with it; see `trained_embedding.TrainingFunctions`."""

    network: type[BasketNetwork]
    scorer: Scorer

    def train(self, settings: BasketSettings, history: History, context: PartContext, folder: Path, work: Path) -> None:
        """Train on the purchases before the cutoff and save the network in `folder`.

        Of the week that is held out, recall@100 of what its customers bought decides when to stop. Where the History
        has no purchases to train on, no weights are saved, and nobody gets a vector.
        """
        facts = train_to(settings, history, work, partial(self._fitted, context=context, folder=folder))
        if not (folder / WEIGHTS).exists():
            log.warning(
                "%s proposes nothing: no article was bought %d times in the %d days before the held-out week, or there "
                "was no other to compare it with; lower its `support`",
                settings.kind,
                settings.support,
                settings.looks_back,
            )
        (folder / FACTS).write_text(json.dumps(facts))

    def _fitted(
        self,
        settings: BasketSettings,
        past: History,
        bought: pl.LazyFrame | None,
        work: Path,
        context: PartContext,
        folder: Path,
    ) -> Fitted | None:
        """Train a network on `past` and save it; what was `bought` in the week after it decides when to stop."""
        engine = context.engine
        articles = known_articles(past, settings.looks_back, settings.support, engine)
        torch.manual_seed(context.seed)
        model = self.network(articles.height, settings)
        files = model.write(past, articles, context, work / "purchases")
        if not files:
            articles.clear().write_parquet(folder / ARTICLES)
            return None
        articles.write_parquet(folder / ARTICLES)
        score = None
        if bought is not None:
            wanted = engine.collect(bought)
            asked = _asked(past.of(wanted.lazy().select("customer").unique()), articles, settings, engine)
            known = engine.collect(marked(articles.lazy(), past.on_sale(settings.on_sale)))
            rows = {"asked": asked, "known": known, "bought": wanted}
            # No local functions: with several devices these are sent to several processes.
            score = partial(_recall, rows=rows, scorer=self.scorer, engine=engine)
        batches = partial(FileBatches, files, settings.batch, engine)
        kept = fit(model, batches, score, settings, engine, context.seed, work)
        save_weights(model, folder / WEIGHTS)
        return kept

    def article_tables(
        self, settings: BasketSettings, history: History, context: PartContext
    ) -> dict[str, pl.DataFrame]:
        """Return `articles` (article, `v…` int16), `codes`, the places of those it knows, and the network's weights."""
        model, articles = self._trained(settings, context)
        found = model.article_vectors(articles, history, context)
        return {"articles": found, "codes": articles, **model.weights()}

    def customer_tables(
        self, settings: BasketSettings, audience: History, codes: pl.DataFrame, context: PartContext
    ) -> dict[str, pl.DataFrame]:
        """Return `customers` (customer, `v…` int16) of `audience`; none if the network knows no article."""
        model, articles = self._trained(settings, context)
        asked = _asked(audience, articles, settings, context.engine)
        return {"customers": _vectors_of_customers(model, asked if articles.height else asked.clear(), context.engine)}

    def _trained(self, settings: BasketSettings, context: PartContext) -> tuple[BasketNetwork, pl.DataFrame]:
        """Return the trained network, and (article, place) of the articles that it knows: none if it wasn't trained."""
        assert context.model is not None
        return context.loaded(context.model, partial(self._load, settings, context.model))

    def _load(self, settings: BasketSettings, folder: Path) -> tuple[BasketNetwork, pl.DataFrame]:
        articles = read_table(folder / ARTICLES)
        model = self.network(articles.height, settings)
        if not articles.is_empty():
            load_weights(model, folder / WEIGHTS)
        return model, articles


def _asked(audience: History, articles: pl.DataFrame, settings: BasketSettings, engine: Engine) -> pl.DataFrame:
    """Return (customer, basket) of all customers of `audience`, sorted; a list is null where they bought nothing."""
    everybody = engine.collect(audience.customers.select("customer").sort("customer"))
    lists = baskets(audience, articles, settings.days, engine)
    return everybody.join(lists, on="customer", how="left", maintain_order="left")


def _recall(model: nn.Module, rows: Mapping[str, pl.DataFrame], scorer: Scorer, engine: Engine) -> float:
    """Return the recall of what the customers `asked` `bought` among the articles on sale."""
    assert isinstance(model, BasketNetwork)
    known = rows["known"]
    vectors = vectors_of_articles(model, known).join(known.select("article", "on_sale"), on="article")
    tables = {"articles": vectors, "customers": _vectors_of_customers(model, rows["asked"], engine), **model.weights()}
    return held_out_recall(tables, rows["bought"], scorer, engine)


def vectors_of_articles(model: BasketNetwork, articles: pl.DataFrame) -> pl.DataFrame:
    """Return (article, `v…` int16) of `articles` (article, …), which are all that `model` knows."""
    with torch.inference_mode():
        vectors = model.eval().items()
    return quantised(torch.from_numpy(articles["article"].to_numpy().copy()), vectors, "article")


def _vectors_of_customers(model: BasketNetwork, rows: pl.DataFrame, engine: Engine) -> pl.DataFrame:
    model = model.to(engine.device).eval()
    found = []
    with torch.inference_mode():
        for some in [*rows.iter_slices(AT_ONCE)] or [rows]:
            inputs = whole(some.select(BASKET), engine.device)
            ends = inputs[BASKET + OFFSETS]
            inputs[BASKET + OFFSETS] = functional.pad(ends, (0, AT_ONCE - some.height), value=int(ends[-1]))
            found.append(model.customers(inputs)[: some.height].cpu())
    return quantised(torch.from_numpy(rows["customer"].to_numpy().copy()), torch.cat(found), "customer")
