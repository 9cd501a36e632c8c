"""Women's or men's: what the customer buys, and what the candidate is.

H&M solutions told customers' gender from what they bought (four fifths of it women's or men's); the share says the same
without a threshold.
"""

from typing import Annotated

import polars as pl
from pydantic import Field

from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.gender import COLUMN, DEFAULT_MEN, DEFAULT_WOMEN, SHARE, WOMEN, article_gender, customer_gender
from hmgpu.parts.part import Count, Learned


class Gender(Feature):
    """The share of women's articles in what a customer bought, the candidate's gender, and how far they agree."""

    days: Count = 365
    """How far back a customer's purchases count."""
    women: tuple[str, ...] = DEFAULT_WOMEN
    """Values of the articles' `index_group_name` that are women's."""
    men: tuple[str, ...] = DEFAULT_MEN
    """Those that are men's; all others are neither."""
    share: Annotated[int, Field(gt=50, le=100)] = SHARE
    """Percent of the customer's women's and men's articles that make him a buyer of one of the two."""

    def needs(self) -> frozenset[str]:
        return frozenset({COLUMN})

    def learn(self, history: History) -> Learned:
        return {"articles": article_gender(history, self.women, self.men)}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        return {"customers": customer_gender(audience.last(self.days), learned["articles"], self.share)}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        """`article_gender`, `customer_gender` float32: 0 women's, 1 men's; `women_share` float32 of the customer's
        women's and men's articles; `gender_share` float32: of these the share that is as the candidate is. Null where
        the candidate is neither, or the customer bought neither."""
        keys = pairs.select("customer", "article")
        articles = learned["articles"].select("article", article_gender=pl.col("gender").cast(pl.Float32))
        women = (pl.col("women") / (pl.col("women") + pl.col("men"))).cast(pl.Float32)
        customers = learned["customers"].select(
            "customer", women_share=women, customer_gender=pl.col("gender").cast(pl.Float32)
        )
        both = keys.join(articles, on="article", how="left", maintain_order="left")
        both = both.join(customers, on="customer", how="left", maintain_order="left")
        of_women = pl.col("article_gender") == WOMEN
        own = pl.when(of_women).then(pl.col("women_share")).otherwise(1 - pl.col("women_share"))
        agreed = pl.when(pl.col("article_gender").is_not_null()).then(own)
        return both.with_columns(gender_share=agreed)
