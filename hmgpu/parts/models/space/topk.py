"""Dot products of quantised vectors, and the exact nearest articles: the same bits on every device.

`hmgpu.core.vectors` explains why they are the same.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence

import polars as pl
import torch

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import STEPS

BLOCK_BYTES = 128 * 2**20  # bytes of scores in memory at once
UNIT, LARGEST = 2**16, 100.0  # steps of a logit of 1, and the largest logit: both together are below 2^24
CHUNK = 16  # scores in a chunk, whose maximum decides whether they are looked at one by one


class DotProducts:
    """Articles are scored by the dot product of their vector with the customer's; see `embedding.Scorer`."""

    def best(self, tables: Mapping[str, pl.DataFrame], n: int, engine: Engine) -> pl.DataFrame:
        return nearest(tables["customers"], tables["articles"].filter(pl.col("on_sale") == 1), n, engine)

    def of(self, pairs: pl.DataFrame, tables: Mapping[str, pl.DataFrame], engine: Engine) -> pl.Series:
        return dots(pairs, tables["customers"], tables["articles"], engine)


def nearest(customers: pl.DataFrame, articles: pl.DataFrame, n: int, engine: Engine) -> pl.DataFrame:
    """Return the `n` articles with the largest dot product for each customer; ties break on the smaller article.

    Args:
        customers: (customer, `v…` int16).
        articles: (article, `v…` int16), each once: those that may be recommended.
        n: number of articles for each customer.
        engine: where to compute, on the CPU or the GPU.

    Returns:
        (customer int32, article int32, score float32, rank int32) sorted by customer and rank.
    """
    articles = articles.sort("article")
    items = in_chunks(vectors_of(articles, engine))
    block = block_of(len(items))
    held = items.new_empty(min(block, customers.height), len(items))

    def scores(rows: pl.DataFrame) -> torch.Tensor:
        return torch.matmul(vectors_of(rows, engine), items.T, out=held[: rows.height])

    return search(customers, articles["article"], n, scores, STEPS**2, block)


def search(
    customers: pl.DataFrame,
    articles: pl.Series,
    n: int,
    scores: Callable[[pl.DataFrame], torch.Tensor],
    unit: int,
    block: int,
) -> pl.DataFrame:
    """Return the `n` articles with the largest scores for each customer; ties break on the smaller article.

    Args:
        customers: (customer, …), each once.
        articles: those that may be recommended, sorted.
        n: number of articles for each customer.
        scores: a function that returns, for some rows of `customers`, their scores (rows, articles) in the order of
            `in_chunks`: whole numbers below 2^24, or minus infinity for an article that isn't recommended.
        unit: what the scores are divided by.
        block: customers at once.

    Returns:
        (customer int32, article int32, score float32, rank int32) in the order of customers, by rank.
    """
    found = min(n, articles.len())
    if not found or customers.is_empty():
        return pl.DataFrame(schema=CANDIDATES)
    width = -(-articles.len() // CHUNK)
    parts = []
    for rows in customers.iter_slices(block):
        arranged = scores(rows).reshape(-1, CHUNK, width)
        arranged[:, articles.len() - (width - 1) * CHUNK :, -1] = -torch.inf  # the padding
        whole, places = best(arranged, found)
        places.clamp_(max=articles.len() - 1)  # of what is left out below
        parts.append(
            pl.DataFrame(
                {
                    "customer": rows["customer"].repeat_by(found).explode(),
                    "article": articles.gather(places.flatten().cpu().numpy()),
                    "score": pl.Series(whole.flatten().cpu().numpy()) / unit,
                    "rank": pl.concat([pl.int_range(1, found + 1, dtype=pl.Int32, eager=True)] * rows.height),
                }
            ).filter(pl.col("score") > -torch.inf)
        )
    return pl.concat(parts)


def in_chunks(items: torch.Tensor) -> torch.Tensor:
    """Return `items` (articles, …), padded with zeros, in the order in which `search` takes their scores.

    First the first of every chunk, then the second of every chunk, …: so that the maxima of chunks are taken over whole
    rows of memory.
    """
    padding = items.new_zeros(-len(items) % CHUNK, *items.shape[1:])
    whole = torch.cat([items, padding])
    return whole.view(len(whole) // CHUNK, CHUNK, *items.shape[1:]).transpose(0, 1).flatten(0, 1)


def block_of(width: int, size: int = 4) -> int:
    """Return how many customers' scores of so many articles, of `size` bytes each, are in memory at once."""
    return max(1, BLOCK_BYTES // (size * max(1, width)))


def best(scores: torch.Tensor, n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the `n` largest scores of each row and their places, the largest first; ties break on the first place.

    They can only be in the `n` chunks with the largest maxima: any other score has `n` chunks before it, each with a
    score that is larger, or equal and further to the left. So most scores are read only once, for a maximum.

    Args:
        scores: (rows, CHUNK, chunks) whole numbers below 2^24, or minus infinity: [row, i, j] is the score at the i-th
            place of the j-th chunk. Where a row has fewer than `n` finite ones, the rest may be any.
        n: how many scores of each row to return.

    Returns:
        The scores (rows, n) and their places (rows, n) int64.
    """
    chosen = _ordered(scores.amax(1)).topk(min(n, scores.shape[2]), dim=1).indices.sort(dim=1).values
    inside = scores.gather(2, chosen[:, None, :].expand(-1, CHUNK, -1)).transpose(1, 2).flatten(1)
    first = _ordered(inside).topk(n, dim=1).indices
    places = chosen.gather(1, first // CHUNK) * CHUNK + first % CHUNK
    return inside.gather(1, first), places


def _ordered(scores: torch.Tensor) -> torch.Tensor:
    """Combine score and place in one number, so that equal scores have an order; below 2^53, so exact in float64."""
    width = scores.shape[1]
    return scores.double() * width - torch.arange(width, device=scores.device, dtype=torch.float64)


def dots(pairs: pl.DataFrame, customers: pl.DataFrame, articles: pl.DataFrame, engine: Engine) -> pl.Series:
    """Return the float32 dot product of each of `pairs` (customer, article), null if one of them has no vector.

    Args:
        pairs: sorted by customer.
        customers: (customer, `v…` int16), each once.
        articles: (article, `v…` int16), each once.
        engine: where to compute, on the CPU or the GPU.
    """
    customers, articles = customers.sort("customer"), articles.sort("article")
    if pairs.height < articles.height:  # those of a few customers
        articles = articles.filter(pl.col("article").is_in(pairs["article"].unique().implode()))
    places = pairs.select(
        customer=places_of(pairs["customer"], customers["customer"]),
        article=places_of(pairs["article"], articles["article"]),
    )
    there = places.drop_nulls()
    customer, article = (torch.from_numpy(there[key].cast(pl.Int64).to_numpy().copy()) for key in there.columns)
    first, second = vectors_of(customers, engine), vectors_of(articles, engine)
    starts = torch.searchsorted(customer, torch.arange(len(first) + 1))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        wanted = torch.sparse_csr_tensor(
            starts, article, torch.zeros(len(article)), (len(first), len(second)), check_invariants=False
        ).to(engine.device)
        # Only the products at the places of the pairs are computed: it takes a twentieth of gathering both sides.
        products = torch.sparse.sampled_addmm(wanted, first, second.T, beta=0.0).values()
    return scores_of(places, [products / STEPS**2]).alias("dot")


def scores_of(places: pl.DataFrame, scores: Sequence[torch.Tensor]) -> pl.Series:
    """Return a float32 score for each row of `places`: null where a place is null, else the next of `scores`."""
    there = places.select(pl.all_horizontal(pl.all().is_not_null())).to_series().arg_true()
    found = pl.Series(torch.cat([torch.empty(0), *(some.cpu() for some in scores)]).numpy(), dtype=pl.Float32)
    return pl.repeat(None, places.height, dtype=pl.Float32, eager=True).scatter(there, found).alias("score")


def in_steps(logits: torch.Tensor) -> torch.Tensor:
    """Return `logits` in whole steps of 1 / `UNIT`, as float32, so that they don't depend on what else is computed.

    Those beyond `LARGEST` become it.
    """
    return (logits.clamp(-LARGEST, LARGEST) * UNIT).round().float()


CANDIDATES = {"customer": pl.Int32, "article": pl.Int32, "score": pl.Float32, "rank": pl.Int32}


def vectors_of(table: pl.DataFrame, engine: Engine) -> torch.Tensor:
    """Return the vectors of `table` as a float32 tensor (rows, dimensions) on the engine's device."""
    names = [name for name in table.columns if name.startswith("v")]
    # Polars would forget the number of rows of a table without columns.
    vectors = table.select(names).to_numpy(order="c").reshape(table.height, len(names))
    return torch.from_numpy(vectors.copy()).to(engine.device).float()


def places_of(wanted: pl.Series, keys: pl.Series) -> pl.Series:
    """Return the row of each wanted key among `keys`, null if it is not there."""
    places = pl.DataFrame({"key": keys}).with_row_index("place")
    return pl.DataFrame({"key": wanted}).join(places, on="key", how="left", maintain_order="left")["place"]
