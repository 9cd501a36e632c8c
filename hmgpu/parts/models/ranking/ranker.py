"""The common base of rankers that are networks: all but the network itself, which is loaded when it is needed."""

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hmgpu.core.engine import Engine
from hmgpu.parts.examples import Examples
from hmgpu.parts.models.ranking.settings import RankerTraining
from hmgpu.parts.ranker import Model, Ranker

if TYPE_CHECKING:  # the real import loads torch, which takes seconds
    from hmgpu.parts.models.ranking.fitted import FittedNetwork
    from hmgpu.parts.models.ranking.network import RankingNetwork


class NetworkRanker(RankerTraining, Ranker):
    """A ranker whose model is a network."""

    @abstractmethod
    def network(self) -> "type[RankingNetwork]":
        """Return the network's class."""

    def needs_packages(self) -> frozenset[str]:
        return frozenset({"pytorch_lightning", "torch"})

    def fit(
        self, training: Examples, validation: Examples, engine: Engine, seed: int, client: Any = None
    ) -> "FittedNetwork":
        from hmgpu.parts.models.ranking.fitted import train

        return train(self.network(), self, training, validation, engine, seed)

    def refit(
        self, fitted: Model, training: Examples, engine: Engine, seed: int, client: Any = None
    ) -> "FittedNetwork":
        from hmgpu.parts.models.ranking.fitted import FittedNetwork, train

        assert isinstance(fitted, FittedNetwork)
        as_many = self.model_copy(update={"epochs": fitted.passes})
        return train(self.network(), as_many, training, None, engine, seed)

    def load(self, folder: Path, engine: Engine) -> "FittedNetwork":
        from hmgpu.parts.models.ranking.fitted import load

        return load(self.network(), self, folder, engine)
