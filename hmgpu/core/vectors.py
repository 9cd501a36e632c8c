"""Vectors as whole numbers, so that their dot products are the same bits on every device."""

import polars as pl
import torch

STEPS = 2048
"""Steps of 1 in which a vector of length 1 is kept: every product and partial sum of two such vectors is then a whole
number below 2^24, which float32 holds exactly, so that no order of summing, block size or device changes a score."""


def quantised(keys: torch.Tensor, vectors: torch.Tensor, key: str) -> pl.DataFrame:
    """(`key` int32, `v000`… int16): one row a vector of length 1 or less, sorted by key."""
    whole = (vectors.float().cpu() * STEPS).round().to(torch.int16).numpy()
    columns = {f"v{place:03}": whole[:, place] for place in range(whole.shape[1])}
    return pl.DataFrame({key: keys.cpu().to(torch.int32).numpy()} | columns).sort(key)


def shortened(vectors: torch.Tensor) -> torch.Tensor:
    """`vectors`, all divided by the length of the longest."""
    return vectors / vectors.norm(dim=1).amax().clamp(min=1e-12) if len(vectors) else vectors
