"""How a candidate's score compares with the customer's best candidate of the same strategy."""

from typing import ClassVar

import polars as pl

from hmgpu.candidates import SCORE
from hmgpu.features import Feature
from hmgpu.parts import Learned


class Strategies(Feature):
    """Every strategy's score as a share of the customer's best one.

    The scores and ranks themselves come with the candidates; their level differs between customers, the share doesn't.
    """

    compares: ClassVar[bool] = True

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        scores = [name for name in pairs.collect_schema().names() if name.endswith(SCORE)]
        best = {name: pl.col(name).max().over("customer") for name in scores}
        shares = {f"{name}_share": pl.when(best[name] > 0).then(pl.col(name) / best[name]) for name in scores}
        return pairs.select("customer", "article", **shares)
