"""Log a piece of work to an experiment tracker, through its own library. What the tracker does can undo nothing."""

import importlib
import logging
import math
import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from hmgpu.core.errors import ConfigError
from hmgpu.core.extras import missing, remedy

log = logging.getLogger(__name__)

Tracker = Literal["none", "mlflow", "wandb"]
PROJECT = "hmgpu"
PATIENCE = 60  # seconds that a tracker may take
# How long the libraries try by themselves, which by default is for minutes; and what they would print or send unasked.
DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "WANDB_INIT_TIMEOUT": "20",
    "WANDB_CONSOLE": "off",
    "WANDB_DISABLE_CODE": "true",
    "WANDB_DISABLE_GIT": "true",
}


@dataclass(frozen=True)
class Entry:
    """What a tracker is told of one piece of work."""

    name: str
    tags: Mapping[str, str]
    settings: Mapping[str, Any]
    """May be nested; logged by `key.key`, as all that is nested."""
    figures: Mapping[str, Any]
    """What of it is not a finite number is left out."""
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """By name, a value for each step: tree, epoch, week or trial."""
    files: Sequence[Path] = ()
    """Files and folders to keep there; those that don't exist are left out."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """By file name, what else is kept there."""


def check_tracker(kind: Tracker) -> None:
    """Raise ConfigError where the library of the tracker is not installed."""
    if kind != "none" and missing([kind]):
        raise ConfigError(f"tracking is {kind}, which is not installed: {remedy(kind)}, or set it to none.")


def send(kind: Tracker, describe: Callable[[], Entry]) -> None:
    """Log what `describe` returns. Whatever goes wrong, or takes longer than `PATIENCE`, is a warning in the log."""
    if kind == "none":
        return
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    try:
        entry = describe()
    except Exception as error:
        log.warning("%s is told nothing of this: %s", kind, " ".join(str(error).split()))
        return
    trying = threading.Thread(target=_try, args=(kind, entry), daemon=True)
    trying.start()
    trying.join(PATIENCE)
    if trying.is_alive():
        log.warning(
            "%s did not answer within %g s: %s is not logged there, or not as a whole.", *(kind, PATIENCE, entry.name)
        )


def _try(kind: Tracker, entry: Entry) -> None:
    try:
        library = importlib.import_module(kind)
        _to_mlflow(library, entry) if kind == "mlflow" else _to_wandb(library, entry)
    except Exception as error:
        # A tracker's address may hold a password, and errors quote it.
        message = re.sub(r"(?<=//)[^/\s]*@", "", " ".join(str(error).split()))
        log.warning("%s could not log %s: %s", kind, entry.name, message)


def _to_mlflow(mlflow: ModuleType, entry: Entry) -> None:
    mlflow.set_experiment(PROJECT)
    with mlflow.start_run(run_name=entry.name, tags=dict(entry.tags)) as run:
        mlflow.log_params(_settings(entry))
        mlflow.log_metrics(_figures(entry))
        now = int(time.time() * 1000)
        steps = [
            mlflow.entities.Metric(name, value, now, step)
            for name, values in _curves(entry).items()
            for step, value in enumerate(values)
        ]
        if steps:
            mlflow.MlflowClient().log_batch(run.info.run_id, metrics=steps)
        for name, text in entry.texts.items():
            mlflow.log_text(text, name)
        for path in _there(entry):
            if path.is_dir():
                mlflow.log_artifacts(str(path), path.name)
            else:
                mlflow.log_artifact(str(path))


def _to_wandb(wandb: ModuleType, entry: Entry) -> None:
    run = wandb.init(project=PROJECT, name=entry.name, config=_settings(entry), tags=sorted(entry.tags.values()))
    run.summary.update(_figures(entry))
    for name, values in _curves(entry).items():
        run.define_metric(name, step_metric=f"{name}/step")  # steps of its own: trees aren't epochs
        for step, value in enumerate(values):
            run.log({f"{name}/step": step, name: value})
    artifact = wandb.Artifact(re.sub(r"[^\w.-]", "_", entry.name), type="run")
    for name, text in entry.texts.items():
        with artifact.new_file(name, encoding="utf-8") as file:
            file.write(text)
    for path in _there(entry):
        if path.is_dir():
            artifact.add_dir(str(path), path.name)
        else:
            artifact.add_file(str(path), path.name)
    if entry.files or entry.texts:
        run.log_artifact(artifact)
    run.finish()


def _there(entry: Entry) -> list[Path]:
    """Return the files and folders that exist: a link's name, and what it leads to."""
    return [path for path in entry.files if path.exists()]


def _settings(entry: Entry) -> dict[str, str]:
    return {_key(key): str(value) for key, value in _flat(entry.settings).items()}


def _figures(entry: Entry) -> dict[str, float]:
    found = {_key(key): value for key, value in _flat(entry.figures).items()}
    return {key: value for key, value in found.items() if isinstance(value, int | float) and math.isfinite(value)}


def _curves(entry: Entry) -> dict[str, Sequence[float]]:
    return {_key(name): values for name, values in entry.curves.items()}


def _key(name: str) -> str:
    """Return `name` without the signs that MLflow refuses, such as brackets in a retailer's name of a column."""
    return re.sub(r"[^\w.\- :/]", "_", name)


def _flat(content: Mapping[str, Any], key: str = "") -> dict[str, Any]:
    """Flatten nested mappings into one, by `key.key`."""
    found = dict[str, Any]()
    for name, value in content.items():
        place = f"{key}.{name}" if key else name
        found |= _flat(value, place) if isinstance(value, Mapping) else {place: value}
    return found
