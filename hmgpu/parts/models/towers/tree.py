"""A tree of articles by k-means over their vectors: similar articles under one node, similar nodes under the next."""

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.parts.models.space.clusters import clusters


def homes(vectors: pl.DataFrame, branches: int, levels: int, seed: int, engine: Engine) -> pl.DataFrame:
    """Return (article, home int32): the node that each article of `vectors` hangs from, in a tree of `levels` levels.

    The nodes of level k are numbered from 0 to branches^k - 1; node i branches into i · branches and those that follow,
    some of which may have no article.

    Args:
        vectors: (article, `v…` int16), of length 1.
        branches: of the root and of each node, except for those of the last level.
        levels: without the root and the articles.
        seed: of the centres that k-means starts from.
        engine: where to compute, on the CPU or the GPU.
    """
    found = clusters(vectors, branches, seed, engine)
    if levels == 1:
        return found.rename({"class": "home"})
    parts = []
    for (node,), within in found.sort("class", "article").group_by("class", maintain_order=True):
        own = vectors.join(within.select("article"), on="article", how="semi")
        below = homes(own, branches, levels - 1, seed, engine)
        parts.append(below.with_columns(pl.col("home") + pl.lit(node, pl.Int32) * branches ** (levels - 1)))
    return pl.concat(parts).sort("article") if parts else found.rename({"class": "home"})
