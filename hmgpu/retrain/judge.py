"""Judge the new run against the current run and a baseline, on the same customers of the last complete week."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.list_length import K
from hmgpu.core.metrics import average_precision
from hmgpu.data.store import Store
from hmgpu.data.weeks import Week
from hmgpu.experiments.compare import paired
from hmgpu.serving.finished_run import FinishedRun
from hmgpu.serving.lookup import served


@dataclass(frozen=True)
class Verdict:
    """Whether the new run is promoted, and why."""

    promote: bool
    reason: str
    figures: Mapping[str, Any]
    """MAP@k in the week: `new`, `baseline` and, with a current run, `current` and `over_current`, which is new minus
    current with interval and p-value."""


def judge(
    precisions: pl.DataFrame,
    current: Path | None,
    week: Week,
    store: Store,
    tolerance: float,
    engine: Engine,
    k: int = K,
) -> Verdict:
    """Compare the new run with repurchase + popularity and with what the current run recommended.

    The current run is judged by the lists that it wrote, which is what customers saw if it ran a week ago; nothing of
    it is computed again, so that newer code can't change it. Customers unknown to it get its best sellers, as they
    would have then. The week also stopped the new run's fit, which favours the new run a little.

    Args:
        precisions: (customer, repurchase_popular, ranker, …), of the new run in `week`.
        current: the current run's folder; None where there is none, or where it is damaged.
        tolerance: how far the new run's MAP@k may be below the current one's, as a share of it.
    """
    new, baseline = (float(precisions[name].mean() or 0.0) for name in ("ranker", "repurchase_popular"))  # type: ignore[arg-type]
    figures: dict[str, Any] = {"week": str(week), "customers": precisions.height, "new": new, "baseline": baseline}
    if current:
        lists = _lists(current, precisions, store, engine)
        labels = engine.collect(store.sold_in(week))
        achieved = average_precision(lists, labels, k)
        both = precisions.join(achieved, on="customer", validate="1:1").select(
            "customer", ranker="average_precision", ranker_second="ranker"
        )
        figures["current"] = float(both["ranker"].mean() or 0.0)  # type: ignore[arg-type]
        figures["over_current"] = paired(both, k)
    return Verdict(*_decided(figures, tolerance, k), figures)


def _decided(figures: Mapping[str, Any], tolerance: float, k: int) -> tuple[bool, str]:
    new, baseline, now = figures["new"], figures["baseline"], figures.get("current")
    if not new > baseline:
        return False, f"MAP@{k} {new:.5f} is not above repurchase + popularity ({baseline:.5f})"
    if now is not None and new < now * (1 - tolerance):
        return False, f"MAP@{k} {new:.5f} is more than {tolerance:.1%} below the current run's ({now:.5f})"
    other = "no current run to compare with" if now is None else f"the current run has {now:.5f}"
    return True, f"MAP@{k} {new:.5f}; {other}, repurchase + popularity {baseline:.5f}"


def _lists(current: Path, buyers: pl.DataFrame, store: Store, engine: Engine) -> pl.DataFrame:
    """Return (customer, article, rank) that the run `current` recommended to `buyers` (customer), in today's keys."""
    ids = engine.collect(store.customer_ids().join(buyers.lazy().select("customer"), on="customer", how="semi"))
    lists, _ = served(FinishedRun.open(current), ids["customer_id"].to_list())
    articles = engine.collect(store.article_ids())
    return (
        lists.join(ids, on="customer_id")
        .select("customer", article_id="articles")
        .with_columns(rank=pl.int_ranges(1, pl.col("article_id").list.len() + 1, dtype=pl.UInt32))
        .explode("article_id", "rank")
        .join(articles, on="article_id")
        .select("customer", "article", "rank")
    )
