"""Export the weights of the two towers as the run has them, and a description of how they are used.

ONNX would hold both in one file, but an ONNX file could not be compared with the model here: the locks have no runtime.
"""

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hmgpu.core.files import write_json
from hmgpu.parts.models.encode.columns import LATEST, OF_CUSTOMERS, RECENT, columns, listed
from hmgpu.serving.encoders import ENCODE
from hmgpu.serving.finished_run import FinishedRun

TOWERS, TRAINING = "towers.npz", "training.json"
Inputs = dict[str, tuple[str, str]]
"""How an input is encoded and the column whose embeddings it looks up, by the input's name."""


def write_towers(run: FinishedRun, folder: Path) -> None:
    """Write `<retriever>/towers.npz`, `towers.json` and `training.json` of every two-tower model into `folder`.

    `folder` must exist. `towers.json` holds, for each side, its `inputs` in the order in which they are concatenated,
    and its `layers`:

        an input with an `embedding` is a category: the code's row in that array (with `mean`, the mean of the rows of
        a list of codes); any other input is one number
        a layer is  x @ weight.T + bias,  with negative numbers set to 0 if `relu`
        the vector is the output of the last layer, divided by its length

    Raises RunError where a file of the run was changed.
    """
    for trained in (step for learned in run.sources for step in run.steps_with(learned.inputs, "*/train/*")):
        for name in trained.files:  # a pickle of an older version is refused
            trained.file(name)
        if TOWERS not in trained.files:  # there was nothing to train on
            continue
        (encoded,) = (step for step in run.steps_with(trained.inputs, "*/encode") if ENCODE in step.files)
        present = frozenset(json.loads(encoded.file(ENCODE).read_text())["present"])
        place = folder / trained.folder.name.removeprefix("retriever-")
        place.mkdir()
        shutil.copyfile(trained.file(TOWERS), place / TOWERS)
        with np.load(place / TOWERS, allow_pickle=False) as arrays:
            write_json(place / Path(TOWERS).with_suffix(".json"), _network(list(arrays), present))
        write_json(place / TRAINING, json.loads(trained.file(TRAINING).read_text()))


def _network(arrays: Sequence[str], present: frozenset[str]) -> dict[str, Any]:
    article: Inputs = {column.name: (column.encoding, column.name) for column in columns("article", present)}
    own = [column for side in OF_CUSTOMERS for column in columns(side, present)]
    customer: Inputs = {column.name: (column.encoding, column.name) for column in own}
    for prefix in (RECENT, LATEST):
        customer |= {f"{prefix}{column.name}": ("list", column.name) for column in listed(present)}
    return {side: _tower(side, given, arrays) for side, given in (("customer", customer), ("article", article))}


def _tower(side: str, given: Inputs, arrays: Sequence[str]) -> dict[str, Any]:
    inputs: list[dict[str, Any]] = []
    for name, (encoding, domain) in sorted(given.items()):  # Merlin concatenates them by name
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
