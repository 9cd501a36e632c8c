"""Vectors of whole numbers, so that their dot products are the same bits on every device."""

import polars as pl
import torch

from hmgpu.core.vector_steps import STEPS as STEPS


def quantised(keys: torch.Tensor, vectors: torch.Tensor, key: str) -> pl.DataFrame:
    """Round vectors of length 1 or less to whole steps: a table (`key` int32, `v000`… int16), sorted by key."""
    whole = (vectors.float().cpu() * STEPS).round().to(torch.int16).numpy()
    columns = {f"v{place:03}": whole[:, place] for place in range(whole.shape[1])}
    return pl.DataFrame({key: keys.cpu().to(torch.int32).numpy()} | columns).sort(key)


def shortened(vectors: torch.Tensor) -> torch.Tensor:
    """Divide all `vectors` by the length of the longest one."""
    return vectors / vectors.norm(dim=1).amax().clamp(min=1e-12) if len(vectors) else vectors
