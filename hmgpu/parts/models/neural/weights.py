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
    """Return all parameters of `network`, one after the other: (place int32, weight float32)."""
    flat = torch.nn.utils.parameters_to_vector(network.parameters()).detach().cpu().numpy()
    return pl.DataFrame({"place": np.arange(len(flat), dtype=np.int32), "weight": flat})


def set_weights(network: torch.nn.Module, table: pl.DataFrame) -> None:
    """Give `network` the parameters of a table that `weight_table` returned, in any order of rows."""
    flat = torch.from_numpy(table.sort("place")["weight"].to_numpy().copy())
    torch.nn.utils.vector_to_parameters(flat, network.parameters())
