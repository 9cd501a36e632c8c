"""Two lists for every customer that need no pipeline: what each evaluation is measured against.

They come from the purchases before the week alone. Nothing but the length k of a list moves them, not even
`lists.exclude`, so that evaluations of one week have one bar, whatever their configs are.
"""

import polars as pl

from hmgpu.core.list_length import K
from hmgpu.core.plans import top_n
from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.evaluation.method_names import BEST_SELLERS, OWN_PAST
from hmgpu.pipeline.lists import top_k


def baseline_lists(history: History, customers: pl.LazyFrame, k: int = K) -> dict[str, pl.LazyFrame]:
    """Return plans of (customer, article, rank 1..k) for `customers` (customer), by the keys of `BASELINES`.

    best_sellers: the k articles of which most units were sold in the seven days before the cutoff, the same for
    everybody; fewer where fewer were sold. own_past: every article that the customer bought before the cutoff, the one
    bought last first, each once; after them the best sellers that are not among them; of these the first k. Ties go to
    the smaller article.
    """
    units = history.last(DAYS).group_by("article").agg(score=pl.len().cast(pl.Int64))
    best = top_n(units, k, by=()).select("article", "rank")
    bought = history.of(customers).transactions.group_by("customer", "article")
    newest = bought.agg(score=pl.col("day").max().cast(pl.Int64))
    return {
        BEST_SELLERS: customers.join(best, how="cross").select("customer", "article", "rank"),
        OWN_PAST: top_k(newest, customers, best, k),
    }
