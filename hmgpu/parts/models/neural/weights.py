"""The weights of networks on disk: NumPy's `.npz`, which holds numbers alone, while what torch saves is a pickle."""

import zipfile
from pathlib import Path

import numpy as np
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
