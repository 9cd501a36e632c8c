"""Networks for pictures from the library timm (Wightman 2019), by files alone: nothing is downloaded."""

import hashlib
from pathlib import Path
from typing import Any


def from_folder(folder: Path) -> Any:
    """Return the network in a folder with timm's config.json and weights; raises whatever timm does."""
    import timm

    model: Any = timm.create_model(f"local-dir:{folder.absolute()}", pretrained=True)
    model.reset_classifier(0)  # not sooner: timm would then let other weights be missing, too
    return model


def from_file(file: Path, architecture: str) -> Any:
    """Return the network of an architecture of timm with the weights in `file`, without its last layer.

    Raises ValueError where the weights are of another one, and whatever timm does where they can't be read.
    """
    import timm
    import torch

    model: Any = timm.create_model(architecture)
    last = model.pretrained_cfg.get("classifier") or ()
    last = (last,) if isinstance(last, str) else tuple(last)
    model.reset_classifier(0)
    weights = timm.models.load_state_dict(str(file))  # runs no code of a pickle
    weights = {key: value for key, value in weights.items() if not key.startswith(tuple(f"{name}." for name in last))}
    own, none = model.state_dict(), torch.empty(0, 0)
    others = [key for key in (own | weights) if own.get(key, none).shape != weights.get(key, none).shape]
    if others:
        raise ValueError(
            f"{len(others)} of its weights or of {architecture}'s have no counterpart, such as {others[0]}"
        )
    model.load_state_dict(weights)
    return model


def untrained(architecture: str) -> Any:
    """Return the network of an architecture of timm without its last layer, its weights random by torch's generator."""
    import timm

    return timm.create_model(architecture, pretrained=False, num_classes=0)


def weights_digest(network: Any) -> str:
    """Hash all weights of a torch module, with their names."""
    known = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        known.update(name.encode())
        known.update(tensor.cpu().contiguous().numpy())
    return known.hexdigest()
