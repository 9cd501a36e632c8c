"""Vectors as whole numbers, their dot products, and the exact nearest articles: the same bits on every device.

A vector of length 1 is kept in steps of 1/2048. Every product and partial sum of two such vectors is then a whole
number below 2^24, which float32 holds exactly, so that no order of summing, block size or device changes a score.
"""

import polars as pl
import torch

from hmgpu.engine import Engine

STEPS = 2048
BLOCK_BYTES = 512 * 2**20  # scores held at once


def quantised(keys: torch.Tensor, vectors: torch.Tensor, key: str) -> pl.DataFrame:
    """(`key` int32, `v000`… int16): one row a vector of length 1 or less, sorted by key."""
    whole = (vectors.float().cpu() * STEPS).round().to(torch.int16).numpy()
    columns = {f"v{place:03}": whole[:, place] for place in range(whole.shape[1])}
    return pl.DataFrame({key: keys.cpu().to(torch.int32).numpy()} | columns).sort(key)


def nearest(customers: pl.DataFrame, articles: pl.DataFrame, n: int, engine: Engine) -> pl.DataFrame:
    """The `n` articles with the largest dot product for each customer; ties break on the smaller article.

    Args:
        customers: (customer, `v…` int16).
        articles: (article, `v…` int16), each once: those that may be recommended.

    Returns:
        (customer int32, article int32, score float32, rank int32) sorted by customer and rank.
    """
    articles = articles.sort("article")
    found = min(n, articles.height)
    if not found or customers.is_empty():
        return pl.DataFrame(schema=CANDIDATES)
    items = _tensor(articles, engine)
    last = articles.height - 1
    # Score and place in one number, so that equal scores have an order: below 2^53, exact in float64.
    ties = last - torch.arange(articles.height, device=engine.device, dtype=torch.float64)
    block = max(1, BLOCK_BYTES // (20 * articles.height))
    parts = []
    for rows in customers.iter_slices(block):
        scores = (_tensor(rows, engine) @ items.T).double()
        best = (scores * articles.height + ties).topk(found, dim=1).values.long()
        places = (last - best % articles.height).flatten().cpu().numpy()
        whole = torch.div(best, articles.height, rounding_mode="floor").flatten().cpu().numpy()
        parts.append(
            pl.DataFrame(
                {
                    "customer": rows["customer"].repeat_by(found).explode(),
                    "article": articles["article"].gather(places),
                    "score": pl.Series(whole).cast(pl.Float32) / STEPS**2,
                    "rank": pl.concat([pl.int_range(1, found + 1, dtype=pl.Int32, eager=True)] * rows.height),
                }
            )
        )
    return pl.concat(parts)


def dots(pairs: pl.DataFrame, customers: pl.DataFrame, articles: pl.DataFrame, engine: Engine) -> pl.Series:
    """float32 dot product of each (customer, article) of `pairs`; null where one of them has no vector."""
    left = _places(pairs["customer"], customers["customer"])
    right = _places(pairs["article"], articles["article"])
    there = (left.is_not_null() & right.is_not_null()).to_numpy()
    out = torch.full((pairs.height,), float("nan"), dtype=torch.float32)
    first, second = _tensor(customers, engine), _tensor(articles, engine)
    rows = torch.from_numpy(there.nonzero()[0])
    at = [torch.from_numpy(side.filter(pl.Series(there)).cast(pl.Int64).to_numpy().copy()) for side in (left, right)]
    block = max(1, BLOCK_BYTES // (12 * max(1, first.shape[1])))
    for start in range(0, len(rows), block):
        here = slice(start, start + block)
        products = first[at[0][here].to(engine.device)] * second[at[1][here].to(engine.device)]
        out[rows[here]] = (products.sum(1) / STEPS**2).cpu()
    return pl.Series("dot", out.numpy()).fill_nan(None)


CANDIDATES = {"customer": pl.Int32, "article": pl.Int32, "score": pl.Float32, "rank": pl.Int32}


def _tensor(table: pl.DataFrame, engine: Engine) -> torch.Tensor:
    """(rows, dimensions) float32 on the engine's device."""
    vectors = table.select(name for name in table.columns if name.startswith("v")).to_numpy(order="c")
    return torch.from_numpy(vectors.copy()).to(engine.device).float()


def _places(wanted: pl.Series, keys: pl.Series) -> pl.Series:
    """The row of each wanted key among `keys`, null where it is not there."""
    places = pl.DataFrame({"key": keys}).with_row_index("place")
    return pl.DataFrame({"key": wanted}).join(places, on="key", how="left", maintain_order="left")["place"]
