"""All that is at hand when a week has been evaluated: what the sections of a run's page are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.data.store import History
from hmgpu.parts.examples import Examples
from hmgpu.parts.ranker import Model


@dataclass(frozen=True)
class Evaluated:
    """An evaluated week."""

    metrics: Mapping[str, Any]
    """The content of `metrics.json`."""
    precisions: pl.DataFrame
    """(customer, every method's average precision) of those who bought in the week, sorted."""
    lists: pl.DataFrame
    """(customer, article, rank) of the ranker's lists, sorted by customer and rank."""
    labels: pl.DataFrame
    """(customer, article) bought in the week."""
    history: History
    """What was known before it."""
    catalogue: pl.LazyFrame
    """The articles as of the end of the week, with their attributes: those first sold in it too."""
    examples: Examples
    """The described and labelled candidates of those who bought."""
    model: Model
    model_files: Path
    """The folder that `model` was saved into."""
    retrievers: Sequence[str]
    """Names of the retrievers, in their order."""
    families: Mapping[str, str]
    """By column of the examples the part that made it, as the config names it."""
    pictures: Path | None
    """The folder of the articles' pictures."""
    engine: Engine
    ablation: Mapping[str, Any] | None = None
    """The content of `ablation.json`; None where the week has none."""
