"""An article's rank by recent sales, among all articles and among those of its kind.

H&M solutions had the rank by sales as a feature next to the units: it means the same in a slow week as in a busy one.
"""

import polars as pl

from hmgpu.core.plans import ranked
from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Category, Count, Learned


class ArticleRank(Feature):
    """Ranks by units sold; null for articles that did not sell."""

    days: Count = 7
    """Days before the cutoff whose sales count."""
    by: Category | None = "department"
    """What a kind is: any code column of the articles; null computes only the rank among all articles."""

    def needs(self) -> frozenset[str]:
        return frozenset({self.by} if self.by else ())

    def learn(self, history: History) -> Learned:
        """Return `ranks`: (article, `article_rank` int32, `article_rank_<by>` int32).

        Rank 1 is the best seller; ties break on the article. The rank within the kind is null for an article without
        one.
        """
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
