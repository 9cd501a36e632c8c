"""Weights of torch models as NumPy's `.npz`, and of the two towers which is multiplied by what.

ONNX would say both in one file, but it can't be written here and compared with the model: the locks have no runtime.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hmgpu.core.extras import needed_by
from hmgpu.core.files import write_json
from hmgpu.parts.models.encode.columns import LATEST, OF_CUSTOMERS, RECENT, columns, listed
from hmgpu.serving.encoders import ENCODE
from hmgpu.serving.finished_run import FinishedRun

NUMPY = ".npz"
TOWERS, TRAINING = "towers.pt", "training.json"
Inputs = dict[str, tuple[str, str]]
"""By name how an input is encoded, and the column whose embeddings it looks up."""


def write_weights(source: Path, target: Path) -> dict[str, Any]:
    """The state that torch saved in `source` as `target` (.npz), by the same names; returns the arrays.

    It is read with `weights_only`, so that nothing but tensors is loaded.
    """
    with needed_by("The export of a torch model"):
        import torch

    state = torch.load(source, map_location="cpu", weights_only=True)
    arrays = {name: value.numpy() for name, value in state.items()}
    np.savez(target, allow_pickle=False, **arrays)
    return arrays


def write_towers(run: FinishedRun, folder: Path) -> None:
    """`<retriever>/towers.npz`, `towers.json` and `training.json` of every two-tower model, in the existing `folder`.

    `towers.json` has of each side its `inputs`, in the order in which they are laid side by side, and its `layers`:

        an input with an `embedding` is a category: the code's row in that array (where `mean`, the mean of the rows of
        a list of codes); another is one number
        a layer is  x @ weight.T + bias,  with negative numbers set to 0 where `relu`
        the vector is what comes out, divided by its length

    Raises RunError where a file of the run was changed.
    """
    for made in (trained for learned in run.known for trained in run.among(learned.inputs, "*/train/*")):
        (encoded,) = (each for each in run.among(made.inputs, "*/encode") if ENCODE in each.files)
        present = frozenset(json.loads(encoded.file(ENCODE).read_text())["present"])
        place = folder / made.folder.name.removeprefix("retriever-")
        place.mkdir()
        arrays = write_weights(made.file(TOWERS), place / Path(TOWERS).with_suffix(NUMPY))
        write_json(place / Path(TOWERS).with_suffix(".json"), _network(arrays, present))
        write_json(place / TRAINING, json.loads(made.file(TRAINING).read_text()))


def _network(arrays: Mapping[str, Any], present: frozenset[str]) -> dict[str, Any]:
    article: Inputs = {column.name: (column.encoding, column.name) for column in columns("article", present)}
    own = [column for side in OF_CUSTOMERS for column in columns(side, present)]
    customer: Inputs = {column.name: (column.encoding, column.name) for column in own}
    for prefix in (RECENT, LATEST):
        customer |= {f"{prefix}{column.name}": ("list", column.name) for column in listed(present)}
    return {side: _tower(side, given, arrays) for side, given in (("customer", customer), ("article", article))}


def _tower(side: str, given: Inputs, arrays: Mapping[str, Any]) -> dict[str, Any]:
    inputs: list[dict[str, Any]] = []
    for name, (encoding, domain) in sorted(given.items()):  # Merlin lays them side by side by name
        table = f"inputs.branches.categorical.branches.{domain}.values.0.to_wrap.table.weight"
        many = {"mean": True} if encoding == "list" else {}
        inputs.append({"name": name} | ({"embedding": table} if encoding in ("category", "list") else {}) | many)
    hidden = sorted(
        (name for name in arrays if re.fullmatch(rf"towers\.{side}\.0\..*weight", name)),
        key=lambda name: int(name.split(".")[4]),
    )
    layers = [
        {"weight": name, "bias": name.removesuffix("weight") + "bias", "relu": name in hidden}
        for name in [*hidden, f"towers.{side}.1.weight"]
    ]
    return {"inputs": inputs, "layers": layers}
