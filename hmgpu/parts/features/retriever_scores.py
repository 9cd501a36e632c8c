"""A candidate's score compared with the customer's best candidate of the same retriever.

The H&M competition's write-ups stress most that every retriever's rank and score must be features: without them rankers
were "very, very poor".
"""

from typing import ClassVar

import polars as pl

from hmgpu.core.plans import ratio
from hmgpu.parts.candidates import SCORE
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Learned

BEST = "_best"


class RetrieverScores(Feature):
    """Every retriever's score as a share of its best score for the customer.

    The scores and ranks themselves come with the candidates; the level of scores differs between customers, the share
    doesn't.
    """

    compares: ClassVar[bool] = True

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        scores = [name for name in pairs.collect_schema().names() if name.endswith(SCORE)]
        # Grouped and joined, because ten maxima over a window took six times as long.
        best = pairs.group_by("customer").agg(pl.col(name).max().alias(f"{name}{BEST}") for name in scores)
        both = pairs.select("customer", "article", *scores).join(best, on="customer", how="left", maintain_order="left")
        # In float64: where all rows are one customer's, Polars multiplies by one reciprocal instead of dividing, whose
        # last bit differs in float32. Of two float32, a quotient in float64 rounds to the same float32 either way.
        wide = {name: pl.col(name).cast(pl.Float64) for name in scores}
        shares = {f"{name}_share": ratio(wide[name], pl.col(f"{name}{BEST}")).cast(pl.Float32) for name in scores}
        return both.select("customer", "article", **shares)
