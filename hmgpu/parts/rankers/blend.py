"""Several rankers, fitted on the same examples; their lists are fused by weighted reciprocal rank.

Reciprocal rank fusion (Cormack, Clarke & Büttcher 2009). Ranks are fused rather than scores, because the margins of
LambdaMART and the log-odds of a classifier have nothing in common but the order. The ensembles of the H&M competition
were sums of weight / rank.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from pydantic import Field, field_validator, model_validator

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.parts.examples import Examples
from hmgpu.parts.from_yaml import parts_of
from hmgpu.parts.ranker import Model, Ranker
from hmgpu.parts.rankers.xgboost import XGBoost

WEIGHTS = "blend.json"


class Blend(Ranker):
    """Candidates ordered by the sum of weight / (smooth + rank) over the rankers."""

    rankers: Annotated[dict[str, Ranker], Field(min_length=1)] = {  # noqa: RUF012 (pydantic copies it)
        "lambdarank": XGBoost(),
        "classifier": XGBoost(objective="binary:logistic"),
    }
    """The rankers, each under a name of your choice with its kind and settings."""
    weights: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = {}  # noqa: RUF012
    """The weight of each ranker, by its name; 1 for those that are not named."""
    smooth: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 10.0
    """Added to each rank: the more, the less the very first places count compared with the next."""

    @field_validator("rankers", mode="before")
    @classmethod
    def _build(cls, given: Any) -> Any:
        return parts_of(Ranker, given)

    @model_validator(mode="after")
    def _weights_are_of_rankers(self) -> "Blend":
        for name in sorted(set(self.weights) - set(self.rankers)):
            raise ValueError(
                f"weights names '{name}', which is not a ranker here; choose from {', '.join(self.rankers)}"
            )
        return self

    @property
    def inner(self) -> tuple[Ranker, ...]:
        return tuple(self.rankers.values())

    @property
    def keeps(self) -> int | None:
        every = [ranker.keeps for ranker in self.inner]
        return None if None in every else max(keeps for keeps in every if keeps is not None)

    def settings(self) -> dict[str, Any]:
        return super().settings() | {"rankers": {name: ranker.settings() for name, ranker in self.rankers.items()}}

    def fit(
        self, training: Examples, validation: Examples, engine: Engine, seed: int, client: Any = None
    ) -> "BlendModel":
        fitted = {name: each.fit(training, validation, engine, seed, client) for name, each in self.rankers.items()}
        return BlendModel(fitted, {name: self.weights.get(name, 1.0) for name in fitted}, self.smooth)

    def refit(self, fitted: Model, training: Examples, engine: Engine, seed: int, client: Any = None) -> "BlendModel":
        assert isinstance(fitted, BlendModel)
        again = {
            name: each.refit(fitted.models[name], training, engine, seed, client) for name, each in self.rankers.items()
        }
        return replace(fitted, models=again)

    def load(self, folder: Path, engine: Engine) -> "BlendModel":
        saved = json.loads((folder / WEIGHTS).read_text())
        if list(saved["weights"]) != list(self.rankers):
            raise ConfigError(f"{folder} holds the rankers {', '.join(saved['weights'])}; the config names others.")
        loaded = {name: ranker.load(folder / name, engine) for name, ranker in self.rankers.items()}
        return BlendModel(loaded, saved["weights"], saved["smooth"])


@dataclass(frozen=True)
class BlendModel(Model):
    """The fitted rankers and their weights."""

    models: Mapping[str, Model]
    weights: Mapping[str, float]
    smooth: float

    @property
    def within(self) -> Mapping[str, Model]:
        return self.models

    def score(self, examples: pl.DataFrame) -> pl.Series:
        """Return the fused scores, null where no ranker gives one; `examples` must hold all of a customer's rows."""
        scored = examples.select("customer", **{name: model.score(examples) for name, model in self.models.items()})
        # Rows come sorted, and equal scores are ranked in the order of rows, so ties break on the article.
        ranks = {name: pl.col(name).rank("ordinal", descending=True).over("customer") for name in self.models}
        parts = [self.weights[name] / (self.smooth + ranks[name]) for name in self.models]
        scores = pl.sum_horizontal(parts)
        unscored = pl.all_horizontal(pl.col(name).is_null() for name in self.models)
        return scored.select(score=pl.when(~unscored).then(scores).cast(pl.Float32)).to_series()

    def save(self, folder: Path) -> None:
        (folder / WEIGHTS).write_text(json.dumps({"weights": dict(self.weights), "smooth": self.smooth}))
        for name, model in self.models.items():
            (folder / name).mkdir()
            model.save(folder / name)
