"""An article's place among all that sold lately, and among those of its kind.

H&M solutions gave articles their rank by sales beside the units: it means the same in a slow week as in a busy one.
"""

import polars as pl

from hmgpu.core.plans import ranked
from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Category, Count, Learned


class ArticleRank(Feature):
    """Ranks by units sold; null for what did not sell."""

    days: Count = 7
    """How far back units count."""
    by: Category | None = "department"
    """The kind: any code column of the articles; null: none, only the rank among all."""

    def needs(self) -> frozenset[str]:
        return frozenset({self.by} if self.by else ())

    def learn(self, history: History) -> Learned:
        """`ranks`: (article, `article_rank` int32 from 1 for the best seller, `article_rank_<by>` int32 within its kind
        or null where it has none). Of equals the smaller article is first."""
        sold = history.last(self.days).group_by("article").agg(score=pl.len().cast(pl.Int64))
        ranks = ranked(sold, by=()).select("article", article_rank="rank")
        if self.by is None:
            return {"ranks": ranks}
        kinds = history.articles.select("article", kind=self.by).drop_nulls()
        within = ranked(sold.join(kinds, on="article"), by="kind")
        own = within.select("article", pl.col("rank").alias(f"article_rank_{self.by}"))
        return {"ranks": ranks.join(own, on="article", how="left")}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return learned["ranks"]
