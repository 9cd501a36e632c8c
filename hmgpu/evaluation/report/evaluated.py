"""Hold what is known once a week has been evaluated: the input of every section of a run's page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.data.store import History
from hmgpu.parts.examples import Examples
from hmgpu.parts.ranker import Model


@dataclass(frozen=True)
class Evaluated:
    """An evaluated week, with everything that its page shows."""

    metrics: Mapping[str, Any]
    """The content of `metrics.json`."""
    precisions: pl.DataFrame
    """(customer, every method's average precision) of the customers who bought in the week, sorted."""
    lists: pl.DataFrame
    """(customer, article, rank) of the ranker's lists, sorted by customer and rank."""
    labels: pl.DataFrame
    """(customer, article) bought in the week."""
    history: History
    """What was known before the week."""
    catalogue: pl.LazyFrame
    """The articles with their attributes, as of the end of the week, so with those first sold in it."""
    customers: pl.LazyFrame
    """The customers with their attributes, as of the end of the week, so with those who first bought in it."""
    examples: Examples
    """The described and labelled candidates of the customers who bought in the week."""
    model: Model
    model_files: Path
    """The folder that `model` was saved into."""
    retrievers: Sequence[str]
    """Names of the retrievers, in their order."""
    pictures: Path | None
    """The folder of the articles' pictures."""
    engine: Engine
    families: Mapping[str, str] = field(default_factory=dict)
    """The part that computed each column of the examples, as the config names it."""
    reasons: Mapping[tuple[int, int], str] = field(default_factory=dict)
    """Why an article is on a customer's list, in a sentence, by customer and article."""
    spaces: Mapping[str, Path] = field(default_factory=dict)
    """Files of the vectors of articles (article, `v…` int16, on_sale) that retrievers learned, by their names."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Why each part of the config that had no share in the run is left out, by its place in the config."""
    ablation: Mapping[str, Any] | None = None
    """The content of `ablation.json`; None without an ablation."""
