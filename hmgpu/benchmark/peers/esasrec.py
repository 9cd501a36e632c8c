"""The sequence transformer of the library RecTools: SASRec with LiGR's blocks and a sampled softmax ("eSASRec", 2025).

RecTools needs other versions of NumPy and torch than hmgpu, so it runs in an environment of its own, whose Python the
variable `HMGPU_RECTOOLS_PYTHON` names (`uv venv rectools; uv pip install --python rectools 'rectools[torch]'`).
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import polars as pl

from hmgpu.benchmark.peers import PLACES, Peer, rectools_program
from hmgpu.benchmark.peers.purchases import EMPTY
from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError, RunError
from hmgpu.data.store import History

VARIABLE = "HMGPU_RECTOOLS_PYTHON"
if VARIABLE not in os.environ:
    raise ConfigError(
        f"it runs in an environment of its own: install 'rectools[torch]' in one, and set {VARIABLE} to its Python"
    )


def recommend(
    history: History,
    customers: pl.DataFrame,
    engine: Engine,
    seed: int,
    days: int,
    factors: int,
    epochs: int,
    negatives: int = 256,
    on_sale: int = 28,
) -> pl.DataFrame:
    """Recommend the articles sold in the last `on_sale` days that follow best on the purchases of the last `days`.

    Customers with one purchase or none in that time have no list. Raises RunError where the program fails.
    """
    bought = engine.collect(history.last(days).select("customer", "article", "day").sort("day", "customer", "article"))
    asked = customers.join(bought, on="customer", how="semi")
    if asked.is_empty():
        return EMPTY
    settings = {"seed": seed, "factors": factors, "epochs": epochs, "negatives": negatives, "places": PLACES}
    with tempfile.TemporaryDirectory(prefix="hmgpu-rectools-") as name:
        folder = Path(name)
        bought.write_csv(folder / rectools_program.BOUGHT)
        asked.write_csv(folder / rectools_program.CUSTOMERS)
        engine.collect(history.on_sale(on_sale)).write_csv(folder / rectools_program.ON_SALE)
        (folder / rectools_program.SETTINGS).write_text(json.dumps(settings))
        command = [os.environ[VARIABLE], rectools_program.__file__, name]
        # Its own packages alone: PYTHONPATH would lead it to hmgpu's.
        given = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        try:
            ended = subprocess.run(command, cwd=name, env=given, capture_output=True, text=True, check=False)
        except OSError as error:
            raise RunError(f"{VARIABLE}: {command[0]} can't be run ({error.strerror}).") from None
        if ended.returncode:
            raise RunError(f"RecTools failed: {ended.stderr.strip().splitlines()[-1] if ended.stderr else 'no word'}")
        found = pl.read_csv(folder / rectools_program.FOUND)
    return found.select(pl.all().cast(pl.Int32)).sort("customer", "rank")


PEER = Peer(
    recommend,
    [
        {"days": 182, "factors": 128, "epochs": 5},
        {"days": 182, "factors": 128, "epochs": 15},
        {"days": 364, "factors": 128, "epochs": 10},
    ],
)
