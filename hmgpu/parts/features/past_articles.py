"""The articles that a customer bought last, one by one, for networks that compare them with a candidate.

The codes are those of `encoded`, so that a past article and a candidate of one department have the same. They are the
same for all candidates of a customer. Rankers that take only numbers ignore them.
"""

from typing import Annotated, ClassVar

import numpy as np
import polars as pl
from pydantic import AfterValidator, Field

from hmgpu.core.plans import top_n
from hmgpu.data.store import History
from hmgpu.parts.examples import CODE, PAST
from hmgpu.parts.feature import Feature
from hmgpu.parts.models.encode.columns import COLUMNS, PADDING, columns
from hmgpu.parts.part import Learned

DAYS = "days"
KNOWN = tuple(column.name for column in COLUMNS if column.side == "article" and column.encoding == "category")


def _known(name: str) -> str:
    if name not in KNOWN:
        raise ValueError(f"'{name}' is not an attribute with codes; choose from {', '.join(KNOWN)}")
    return name


class PastArticles(Feature):
    """Attributes of the latest articles and days since, as columns `<attribute>_<place>_past`, the latest first."""

    encoded: ClassVar[bool] = True

    latest: Annotated[int, Field(ge=1, le=99)] = 30
    """Latest articles of a customer, each once. Each takes a column for every attribute."""
    attributes: Annotated[tuple[Annotated[str, AfterValidator(_known)], ...], Field(min_length=1)] = (
        "article",
        "product_type",
        "department",
        "colour",
    )
    """What is said of an article: article, or any code column of articles. Those that the data lacks are left out."""

    def needs_packages(self) -> frozenset[str]:
        return frozenset({"merlin", "nvtabular"})

    def learn(self, history: History) -> Learned:
        encoders = self.context.encoders()
        there = {column.name for column in columns("article", encoders.present)}
        names = [name for name in dict.fromkeys(self.attributes) if name in there]
        codes = {f"{name}{CODE}": pl.col(name).cast(pl.Int32) for name in names}
        return {"articles": encoders.articles(history).lazy().select(article="key", **codes)}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        """Return `customers` (customer, `<attribute>_<place>_past` int32) of those who have bought anything."""
        engine = self.context.engine
        codes = engine.collect(learned["articles"].sort("article"))
        bought = audience.transactions.group_by("customer", "article").agg(day=pl.col("day").max())
        latest = engine.collect(top_n(bought, self.latest, by="customer", score="day").sort("customer", "rank"))
        since = (audience.cutoff - pl.col("day")).cast(pl.Int32).alias(DAYS)
        rows = latest.join(codes, on="article", how="left", maintain_order="left").with_columns(since)
        customers = rows["customer"].unique().sort()
        place = rows.select(row=pl.col("customer").rle_id(), place=pl.col("rank") - 1).to_numpy()
        found = {"customer": customers}
        for name in (*codes.columns[1:], DAYS):
            matrix = np.zeros((customers.len(), self.latest), dtype=np.int32)
            matrix[place[:, 0], place[:, 1]] = rows[name].fill_null(PADDING).to_numpy()
            label = name.removesuffix(CODE)
            found |= {
                f"{label}_{number:02}{PAST}": pl.Series(matrix[:, number - 1].copy())
                for number in range(1, self.latest + 1)
            }
        return {"customers": pl.DataFrame(found).lazy()}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return learned["customers"]
