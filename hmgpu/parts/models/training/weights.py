"""The weights of networks on disk: NumPy's `.npz`, which holds numbers alone, while what torch saves is a pickle."""

import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import torch

from hmgpu.core.errors import RunError, reason


def save_weights(network: torch.nn.Module, file: Path) -> None:
    """Write all weights of `network` to `file` (.npz) by their names; the same weights give the same bytes."""
    arrays = {name: value.cpu().numpy() for name, value in network.state_dict().items()}
    np.savez(file, allow_pickle=False, **arrays)


def load_weights(network: torch.nn.Module, file: Path) -> None:
    """Give `network` the weights that `save_weights` wrote to `file`.

    Raises RunError where it holds anything else.
    """
    try:
        with np.load(file, allow_pickle=False) as arrays:
            state = {name: torch.from_numpy(arrays[name]) for name in arrays}
        network.load_state_dict(state)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, zipfile.BadZipFile) as error:
        raise RunError(f"The weights in {file} can't be read ({reason(error)}): compute the run again.") from None


def weight_table(network: torch.nn.Module) -> pl.DataFrame:
    """Return all parameters of `network`: (name str, place int32: in the parameter, row after row, weight float32)."""
    parts = [
        pl.DataFrame({"weight": weight.detach().cpu().flatten().float().numpy()}).select(
            pl.lit(name).alias("name"), pl.int_range(pl.len(), dtype=pl.Int32).alias("place"), "weight"
        )
        for name, weight in network.named_parameters()
    ]
    return pl.concat(parts)


def set_weights(network: torch.nn.Module, table: pl.DataFrame) -> None:
    """Give `network` the parameters of a table that `weight_table` returned, in any order of rows."""
    by_name = table.sort("name", "place").partition_by("name", as_dict=True)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            own = torch.from_numpy(by_name[name,]["weight"].to_numpy().copy())
            weight.copy_(own.view_as(weight))
