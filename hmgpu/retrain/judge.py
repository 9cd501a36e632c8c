"""Judge the new run against the current run and a baseline, on the same customers of the last complete week."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.list_length import K
from hmgpu.core.metrics import average_precision
from hmgpu.data.store import Store
from hmgpu.data.weeks import Week
from hmgpu.evaluation.method_names import BASELINES, OWN_PAST, RANKER
from hmgpu.experiments.compare import paired
from hmgpu.retrain.opponent import Opponent

HOW = {"served": "", "evaluated": " in its own evaluation", "refitted": ", fitted again without that week"}


@dataclass(frozen=True)
class Verdict:
    """Whether the new run is promoted, and why."""

    promote: bool
    reason: str
    figures: Mapping[str, Any]
    """MAP@k in the week: `new`, `baseline` and, with a current run, `current`, by lists that were `current_lists`
    (`opponent.How`), and `over_current`, which is new minus current with interval and p-value."""


def judge(
    precisions: pl.DataFrame,
    current: Opponent | None,
    week: Week,
    store: Store,
    tolerance: float,
    engine: Engine,
    k: int = K,
    without: str = "no current run to compare with",
) -> Verdict:
    """Compare the new run with the baseline and with lists that the current run made without having seen the week.

    The week also stopped the new run's fit, which favours the new run a little.

    Args:
        precisions: (customer, own_past, ranker, …), of the new run in `week`.
        current: the current run's lists for these customers; None where there are none.
        tolerance: how far the new run's MAP@k may be below the current one's, as a share of it.
        without: why there are none.
    """
    new, baseline = (float(precisions[name].mean() or 0.0) for name in (RANKER, OWN_PAST))  # type: ignore[arg-type]
    figures: dict[str, Any] = {"week": str(week), "customers": precisions.height, "new": new, "baseline": baseline}
    if current:
        labels = engine.collect(store.sold_in(week))
        achieved = average_precision(current.lists, labels, k)
        both = precisions.join(achieved, on="customer", validate="1:1").select(
            "customer", ranker="average_precision", ranker_second="ranker"
        )
        figures["current"] = float(both["ranker"].mean() or 0.0)  # type: ignore[arg-type]
        figures["current_lists"] = current.how
        figures["over_current"] = paired(both, k)
    return Verdict(*_decided(figures, tolerance, k, without), figures)


def _decided(figures: Mapping[str, Any], tolerance: float, k: int, without: str) -> tuple[bool, str]:
    new, baseline, now = figures["new"], figures["baseline"], figures.get("current")
    if not new > baseline:
        return False, f"MAP@{k} {new:.5f} is not above {BASELINES[OWN_PAST]} ({baseline:.5f})"
    how = HOW[figures.get("current_lists", "served")]
    if now is not None and new < now * (1 - tolerance):
        return False, f"MAP@{k} {new:.5f} is more than {tolerance:.1%} below the current run's ({now:.5f}{how})"
    other = without if now is None else f"the current run has {now:.5f}{how}"
    return True, f"MAP@{k} {new:.5f}; {other}, {BASELINES[OWN_PAST]} {baseline:.5f}"
