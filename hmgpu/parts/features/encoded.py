"""Category codes of customer, moment and article from the NVTabular workflows, for neural rankers to look up.

The workflows' numbers are not used: the other families describe more. Rankers that take only numbers ignore the codes.
"""

from typing import ClassVar

import polars as pl

from hmgpu.data.store import History
from hmgpu.parts.examples import CODE
from hmgpu.parts.feature import Feature
from hmgpu.parts.models.encode.columns import OF_CUSTOMERS, PADDING, Side, columns
from hmgpu.parts.part import Learned


class Encoded(Feature):
    """Category codes of the customer, the moment and the article, as columns `<side>_<column>_code`."""

    encoded: ClassVar[bool] = True

    def needs_packages(self) -> frozenset[str]:
        return frozenset({"merlin", "nvtabular"})

    def learn(self, history: History) -> Learned:
        encoders = self.context.encoders()
        articles = encoders.articles(history).lazy()
        return {"articles": articles.select(article="key", **_codes(encoders.present, "article"))}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        encoders = self.context.encoders()
        profiles = encoders.profiles(audience, audience.customers.select("customer")).lazy()
        return {"customers": profiles.select(customer="key", **_codes(encoders.present, *OF_CUSTOMERS))}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        customers, articles = learned["customers"], learned["articles"]
        keys = pairs.select("customer", "article")
        described = keys.join(customers, on="customer", how="left", maintain_order="left")
        described = described.join(articles, on="article", how="left", maintain_order="left")
        names = [name for table in (customers, articles) for name in table.collect_schema() if name.endswith(CODE)]
        return described.with_columns(pl.col(names).fill_null(PADDING))


def _codes(present: frozenset[str], *sides: Side) -> dict[str, str]:
    """Return the category columns of `sides`, by the name that they have as features."""
    return {
        f"{side}_{column.name}{CODE}": column.name
        for side in sides
        for column in columns(side, present)
        if column.encoding == "category"
    }
