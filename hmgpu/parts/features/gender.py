"""Whether the customer buys women's or men's articles, and whether the candidate is one of them.

H&M solutions inferred a customer's gender if four fifths of their purchases were women's or men's; the share of women's
articles has the same information without a threshold.
"""

from typing import Annotated

import polars as pl
from pydantic import Field

from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.gender import COLUMN, DEFAULT_MEN, DEFAULT_WOMEN, SHARE, WOMEN, article_gender, customer_gender
from hmgpu.parts.part import Count, Learned


class Gender(Feature):
    """The share of women's articles in the customer's purchases, the candidate's gender, and how far they agree."""

    days: Count = 365
    """Days before the cutoff whose purchases by the customer count."""
    women: tuple[str, ...] = DEFAULT_WOMEN
    """Values of the articles' column `index_group_name` that are women's."""
    men: tuple[str, ...] = DEFAULT_MEN
    """Values of `index_group_name` that are men's; all others are neither."""
    share: Annotated[int, Field(gt=50, le=100)] = SHARE
    """Percent: if this much of the women's and men's articles that a customer bought is one of the two, that is the
    customer's gender."""

    def needs(self) -> frozenset[str]:
        return frozenset({COLUMN})

    def learn(self, history: History) -> Learned:
        return {"articles": article_gender(history, self.women, self.men)}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        return {"customers": customer_gender(audience.last(self.days), learned["articles"], self.share)}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        """Compute `article_gender`, `customer_gender`, `women_share` and `gender_share`, all float32.

        A gender is 0 for women's and 1 for men's. `women_share` is the share of women's articles among the women's and
        men's articles that the customer bought, `gender_share` the share of the candidate's gender among them. Null if
        the candidate is neither, or the customer bought neither.
        """
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
