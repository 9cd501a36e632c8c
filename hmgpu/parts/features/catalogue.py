"""An article's codes in the catalogue: type, department, colour and the like.

The code columns of the H&M competition's `articles.csv`, except the product's own.
"""

import polars as pl

from hmgpu.data.store import History
from hmgpu.data.tables import names
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Learned

ATTRIBUTES = tuple(name for name in names("articles", ["code"]) if name != "product")


class Catalogue(Feature):
    """The attribute codes of each article, as many of them as the retailer has."""

    def learn(self, history: History) -> Learned:
        return {"catalogue": history.articles.select("article", *(name for name in ATTRIBUTES if history.has(name)))}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return learned["catalogue"]
