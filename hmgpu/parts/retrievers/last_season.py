"""Best sellers of the same weeks a year ago that are still, or again, on sale.

Public solutions of the H&M competition proposed what sold in the same weeks a year ago.
"""

import polars as pl

from hmgpu.core.plans import ONE, top_n
from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS, YEAR
from hmgpu.parts.part import Count, Learned
from hmgpu.parts.retriever import Candidates, Retriever


class LastSeason(Retriever):
    """Articles on sale whose product sold well a year ago in the weeks to come, the same for every customer.

    Few articles live for a year, but products return in new colours: sales of a year ago count for the product (if the
    retailer has products), and each of its articles on sale now gets them.
    """

    weeks: Count = 2
    """Weeks of last year that count, from the cutoff's date on."""
    on_sale: Count = 14
    """An article is on sale if it sold in this many days before the cutoff."""
    n: Candidates = 12

    def needs_days(self) -> int:
        return max(0, YEAR - DAYS * self.weeks + 1)

    def learn(self, history: History) -> Learned:
        start = history.cutoff - YEAR
        season = history.transactions.filter(pl.col("day").is_between(start, start + 7 * self.weeks - 1))
        level = "product" if history.has("product") else "article"
        families = history.articles.select(pl.col("article"), family=pl.col(level)).drop_nulls()
        then = season.join(families, on="article").group_by("family").agg(then=pl.len())
        now = history.last(self.on_sale).group_by("article").agg(now=pl.len()).join(families, on="article")
        # The geometric mean of both sales; a square root is the same on every machine.
        both = (pl.col("then").cast(pl.Float64) * pl.col("now").cast(pl.Float64)).sqrt()
        scored = now.join(then, on="family").select("article", score=(both * ONE).cast(pl.Int64))
        return {"best": top_n(scored, self.n, by=())}

    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        return customers.join(learned["best"], how="cross")

    def reason(self) -> str:
        return "sold well in these weeks a year ago"
