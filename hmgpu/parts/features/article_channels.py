"""The channels that an article sells in: units by window and channel, and each channel's share.

H&M solutions counted an article's sales by window and channel, since shops and the web shop sell different things.
"""

import polars as pl

from hmgpu.core.plans import ratio
from hmgpu.data.store import History
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Count, Learned, Windows


class ArticleChannels(Feature):
    """Sales of each article by channel."""

    windows: Windows = (7, 28)
    """Days before the cutoff: units sold in each of these windows become columns."""
    channels: Count = 2
    """How many channels get columns of their own: the first ones of `data.channels`."""

    def needs(self) -> frozenset[str]:
        return frozenset({"channel"})

    def learn(self, history: History) -> Learned:
        """Return `sales`: (article, units and share for each window and channel).

        The columns are `article_channel_<place>_units_<days>` int32 and `article_channel_<place>_share_<days>` float32
        of all units, null if there are none.
        """
        age, channel = history.cutoff - pl.col("day"), pl.col("channel")
        windows = {days: age <= days for days in self.windows}
        units = {
            f"article_channel_{place}_units_{days}": (within & (channel == place)).sum().cast(pl.Int32)
            for days, within in windows.items()
            for place in range(self.channels)
        }
        totals = {f"all_{days}": within.sum().cast(pl.Int32) for days, within in windows.items()}
        counted = history.last(max(self.windows)).group_by("article").agg(**units, **totals)
        whole = {name: pl.col(f"all_{name.rpartition('_')[2]}") for name in units}
        shares = {
            name.replace("_units_", "_share_"): ratio(pl.col(name), whole[name]).cast(pl.Float32) for name in units
        }
        return {"sales": counted.with_columns(**shares).drop(*totals)}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return learned["sales"]
