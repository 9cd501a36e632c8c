"""Scores of articles within classes: the logarithm of how likely a class is, and an article within its class."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl
import torch

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import STEPS
from hmgpu.parts.models.space.topk import block_of, dots, in_chunks, places_of, scores_of, search, vectors_of

UNIT = 2**13  # steps between whole logarithms, which are far above -2^24 / UNIT
LOWEST = float(-(2**24) + 1)


@dataclass(frozen=True)
class ClassScores:
    """Articles are scored by the logarithm of their likelihood, in steps; see `embedding.Scorer`.

    Besides `customers` (customer, `v…`) and `articles` (article, class, on_sale, `v…`), it needs `classes` (class,
    `v…`). All articles of the tables add up to a likelihood of 1, on sale or not.
    """

    temperature: float
    """Divides the cosine of two vectors."""

    def best(self, tables: Mapping[str, pl.DataFrame], n: int, engine: Engine) -> pl.DataFrame:
        articles = tables["articles"].sort("class", "article").with_row_index("place")
        selling = articles.filter(pl.col("on_sale") == 1).sort("article")
        known = _Known(articles, tables["classes"], self.temperature, engine)
        chosen = in_chunks(selling["place"].to_torch().long().to(engine.device))

        def scores(rows: pl.DataFrame) -> torch.Tensor:
            logits, shifts = known.logits(rows)
            return _steps(logits[:, chosen] + shifts[:, known.class_of[chosen]])

        block = block_of(articles.height, 32)
        return search(tables["customers"], selling["article"], n, scores, UNIT, block)

    def of(self, pairs: pl.DataFrame, tables: Mapping[str, pl.DataFrame], engine: Engine) -> pl.Series:
        customers, articles = tables["customers"].sort("customer"), tables["articles"].sort("class", "article")
        known = _Known(articles, tables["classes"], self.temperature, engine)
        rows = pl.DataFrame(
            {
                "customer": places_of(pairs["customer"], customers["customer"]),
                "article": places_of(pairs["article"], articles["article"]),
                "dot": dots(pairs, customers, articles, engine),
            }
        )
        found = [
            _steps(shifts[some[0], known.class_of[some[1]]] + cosines.double() / self.temperature) / UNIT
            for shifts, some, cosines in self._blocks(rows.drop_nulls(), customers, known, engine)
        ]
        return scores_of(rows, found)

    def _blocks(
        self, rows: pl.DataFrame, customers: pl.DataFrame, known: "_Known", engine: Engine
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """Yield, for some customers after others, their shifts, and the places and cosines of their pairs."""
        size = block_of(len(known.class_of), 32)
        for start in range(0, customers.height, size):
            some = rows.filter(pl.col("customer").is_between(start, start + size - 1))
            if some.height:
                customer, article = (some[name].to_torch().long().to(engine.device) for name in ("customer", "article"))
                _, shifts = known.logits(customers[start : start + size])
                yield shifts, torch.stack([customer - start, article]), some["dot"].to_torch().to(engine.device)


class _Known:
    """The vectors of articles, in the order of their classes, and of classes."""

    def __init__(self, articles: pl.DataFrame, classes: pl.DataFrame, temperature: float, engine: Engine) -> None:
        classes = classes.sort("class")
        self.engine, self.temperature = engine, temperature
        self.articles, self.classes = vectors_of(articles, engine), vectors_of(classes, engine)
        self.class_of = places_of(articles["class"], classes["class"]).to_torch().long().to(engine.device)
        self.sizes = self.class_of.bincount(minlength=classes.height).tolist()

    def logits(self, customers: pl.DataFrame) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the logits (customers, articles) within classes, and what is to be added to them by class.

        In float64, whose last bits get lost in the steps of a score, whatever the order of sums.
        """
        own = vectors_of(customers, self.engine)
        logits, classes = (
            (own @ each.T / STEPS**2).double() / self.temperature for each in (self.articles, self.classes)
        )
        sums = [some.logsumexp(dim=1) for some in logits.split_with_sizes(self.sizes, dim=1)]
        return logits, classes.log_softmax(dim=1) - torch.stack(sums, dim=1)


def _steps(logarithms: torch.Tensor) -> torch.Tensor:
    """Return `logarithms` in whole steps, as float32."""
    return (logarithms * UNIT).round().clamp(min=LOWEST).float()
