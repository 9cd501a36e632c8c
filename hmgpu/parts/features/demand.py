"""A forecast of the units that each article will sell next week, learned from the weekly sales of all articles.

After the model of stock and lifetime in a public solution of the H&M competition: an article is worth recommending if
it will sell, and last week's sales show that too late. Trees (XGBoost, Chen & Guestrin 2016) learn how sales continued
in past weeks. docs/results/demand.md has how much better this is than "next week is like last week".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import Field

from hmgpu.data.store import History
from hmgpu.data.weeks import DAYS
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Count, Learned

WEEKS_A_YEAR = 52
ALIVE = 4  # weeks: an article without a sale in them gets no forecast
SEASONED = "garment_group"  # articles of one group share a season; used if the retailer has this column
LATE = 3  # days at the end of a week: an article that sold out sold nothing on them
Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]


class Demand(Feature):
    """Units expected in the coming week, for each article that sold in the last four weeks."""

    weeks: Annotated[int, Field(ge=1, le=52)] = 16
    """Weeks before the cutoff that the trees learn to forecast, from what was known before each of them."""
    rounds: Count = 120
    """Number of trees."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.1
    """How much each tree contributes; a smaller rate needs more trees."""
    depth: Count = 6
    """Depth of each tree, in levels; deeper trees learn finer patterns and overfit sooner."""

    def learn(self, history: History) -> Learned:
        """Return `demand`: (article, `demand_units` float32, `demand_growth` float32, `demand_rank` int32).

        Growth is relative to last week. Units are the exponential of an expected logarithm, so nearer to the median
        than to the mean. Trees are fitted on the CPU by one thread whatever the engine, so that they are the same.
        """
        import xgboost as xgb

        sales = Weekly.of(history, self.weeks + WEEKS_A_YEAR + 1, self.context.engine.collect)
        newest = self.weeks + WEEKS_A_YEAR
        past = range(newest - self.weeks, newest)
        alive = {week: sales.alive(week) for week in (*past, newest)}
        last = {week: np.log1p(sales.units[rows, week]) for week, rows in alive.items()}
        expected = last[newest]
        if any(len(alive[week]) for week in past) and len(expected):
            known = np.concatenate([sales.features_at(week, alive[week]) for week in past])
            sold_next = np.concatenate([np.log1p(sales.units[alive[week], week + 1]) for week in past])
            # Without trees the forecast is last week's sales: the trees learn the difference.
            before = np.concatenate([last[week] for week in past])
            train = xgb.QuantileDMatrix(known, sold_next, base_margin=before, nthread=1, max_bin=64)
            settings = {"eta": self.learning_rate, "max_depth": self.depth, "min_child_weight": 20, "max_bin": 64}
            trees = xgb.train({**settings, "nthread": 1, "device": "cpu"}, train, self.rounds)
            now = xgb.DMatrix(sales.features_at(newest, alive[newest]), base_margin=expected, nthread=1)
            expected = trees.predict(now).astype(np.float64)
        table = pl.DataFrame(
            {
                "article": sales.articles[alive[newest]].astype(np.int32),
                "demand_units": np.expm1(expected.clip(0)).astype(np.float32),
                "demand_growth": np.exp(expected - last[newest]).astype(np.float32),
            }
        )
        ordered = table.sort("demand_units", "article", descending=[True, False])
        return {"demand": ordered.with_row_index("demand_rank", offset=1).cast({"demand_rank": pl.Int32}).lazy()}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return learned["demand"]


@dataclass(frozen=True)
class Weekly:
    """Weekly sales before a cutoff: a row for each article, a column for each week, the last one just before it."""

    articles: Longs
    """(articles,): their keys, sorted."""
    age: Longs
    """(articles,): weeks from the first sale to the cutoff."""
    group: Longs
    """(articles,): the group of articles that share a season."""
    units: Longs
    late: Longs
    """Units sold on the last days of the week."""
    price: Floats
    """Mean price; NaN in a week without a sale, and everywhere if the retailer has no prices."""
    dearest: Floats
    """Highest mean price up to the week."""

    @classmethod
    def of(cls, history: History, weeks: int, collect: Callable[[pl.LazyFrame], pl.DataFrame]) -> Self:
        age = history.cutoff - 1 - pl.col("day")
        paid = pl.col("price").cast(pl.Int64).sum() if history.has("price") else pl.lit(None, dtype=pl.Int64)
        sold = history.last(DAYS * weeks).group_by("article", week=weeks - 1 - age // DAYS)
        sums = collect(sold.agg(units=pl.len(), late=(age % DAYS < LATE).sum(), paid=paid).sort("article", "week"))
        named = pl.col(SEASONED) if history.has(SEASONED) else pl.lit(None)
        known = history.articles.select("article", age=(history.cutoff - 1 - pl.col("first_day")) // DAYS, group=named)
        facts = collect(known.join(sums.lazy().select("article"), on="article", how="semi").sort("article"))
        articles = facts["article"].to_numpy().astype(np.int64)
        at = np.searchsorted(articles, sums["article"].to_numpy()), sums["week"].to_numpy()

        def by_week(name: str) -> Floats:
            table = np.zeros((len(articles), weeks))
            table[at] = sums[name].cast(pl.Float64).to_numpy()
            return table

        units, price = by_week("units"), by_week("paid")
        with np.errstate(invalid="ignore"):
            price /= units
        return cls(
            articles,
            facts["age"].to_numpy().astype(np.int64),
            facts["group"].cast(pl.Int64).rank("dense").fill_null(0).cast(pl.Int64).to_numpy(),
            units.astype(np.int64),
            by_week("late").astype(np.int64),
            price,
            np.fmax.accumulate(price, axis=1),
        )

    def alive(self, week: int) -> Longs:
        """Return the rows of the articles that sold in the last ALIVE weeks up to and including `week`."""
        return np.flatnonzero(self.units[:, week - ALIVE + 1 : week + 1].any(axis=1))

    def features_at(self, week: int, rows: Longs) -> npt.NDArray[np.float32]:
        """Return what was known about these articles at the end of `week`, as a matrix (rows, columns)."""
        units = self.units[rows, : week + 1]
        logs = [np.log1p(units[:, week - back]) for back in range(ALIVE)]
        peak = units.max(axis=1)
        price, dearest = self.price[rows, week], _positive(self.dearest[rows, week])
        columns = [
            *logs,
            logs[0] - logs[1],
            np.log1p(units[:, week - 7 :].mean(axis=1)),
            units[:, week] / peak,
            np.argmax(units[:, ::-1] == peak[:, None], axis=1),  # weeks since the peak
            self.age[rows] - (self.units.shape[1] - 1 - week),
            (self.late[rows, week] + 1) / (units[:, week] * LATE / DAYS + 1),
            price / dearest,
            price / _positive(self.price[rows, week - 1]),
            np.log(dearest),
        ]
        for of in (self.group, np.zeros_like(self.group)):
            totals = np.array([np.bincount(of, self.units[:, w]) for w in self._season(week)]) + 1.0
            now, before, then, after = np.log(totals)[:, of[rows]]
            columns += [now - before, after - then]
        return np.stack(columns, axis=1).astype(np.float32)

    def _season(self, week: int) -> tuple[int, int, int, int]:
        """Return this week, the week before, this week a year ago, and the forecast week a year ago."""
        return week, week - 1, week - WEEKS_A_YEAR, week + 1 - WEEKS_A_YEAR


def _positive(price: Floats) -> Floats:
    """Replace 0, the price of what is free, by NaN: XGBoost takes what is missing, but not what is infinite."""
    positive: Floats = np.where(price > 0, price, np.nan)
    return positive
