"""Print how well the simplest methods do on the last weeks of data sets, side by side.

python scripts/ladder.py demo/data other/data --folds 4

Each folder is one that `hmgpu ingest` wrote. The two fixed baselines are those of `hmgpu evaluate`; recall is of the
best sellers of the seven days before the week, among all articles that the week's buyers bought. For the ranker,
evaluate the same data set with `hmgpu evaluate --config … --folds 4`.
"""

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from hmgpu.core.engine import Engine
from hmgpu.core.metrics import average_precision
from hmgpu.core.plans import top_n
from hmgpu.data.store import Store
from hmgpu.data.weeks import DAYS, Week
from hmgpu.evaluation.method_names import shown_as
from hmgpu.pipeline.baselines import baseline_lists

RECALLS = (12, 50, 100)


def week_figures(store: Store, engine: Engine, week: Week) -> dict[str, tuple[float, int]]:
    """Figures of one week, each with the number of buyers or purchases that it is a mean over."""
    labels = engine.collect(store.sold_in(week).select("customer", "article").unique())
    buyers = labels.lazy().select("customer").unique()
    history = store.as_of(week.first_day)
    found = {}
    for method, lists in baseline_lists(history, buyers).items():
        scored = average_precision(engine.collect(lists), labels)
        found[f"MAP@12, {shown_as(method)}"] = (float(scored["average_precision"].sum()), scored.height)
    units = history.last(DAYS).group_by("article").agg(score=pl.len().cast(pl.Int64))
    best = engine.collect(top_n(units, max(RECALLS), by=()))
    for k in RECALLS:
        hits = labels.join(best.filter(pl.col("rank") <= k), on="article", how="semi").height
        found[f"recall@{k} of last week's best sellers"] = (hits, labels.height)
    return found


def main(
    folders: Annotated[list[Path], typer.Argument(help="ingested data sets, one column each")],
    folds: Annotated[int, typer.Option(min=1, help="how many of the last weeks")] = 4,
) -> None:
    """Print a Markdown table of the ladder, over the buyers of all weeks."""
    engine = Engine.choose("cpu")
    columns: dict[str, dict[str, str]] = {}
    for folder in folders:
        store = Store(folder)
        weeks = [week_figures(store, engine, store.last_complete_week.back(back)) for back in range(folds)]
        column = {
            "weeks": f"{folds} to {store.last_complete_week}",
            "buyers": f"{sum(w[next(iter(w))][1] for w in weeks):,}",
        }
        for name in weeks[0]:
            column[name] = f"{sum(w[name][0] for w in weeks) / sum(w[name][1] for w in weeks):.4f}"
        columns[str(folder)] = column
    print("| | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for label in next(iter(columns.values())):
        print(f"| {label} | " + " | ".join(column[label] for column in columns.values()) + " |")


if __name__ == "__main__":
    typer.run(main)
