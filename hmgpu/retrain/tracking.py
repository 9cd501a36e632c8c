"""Log settings and figures of every retrain to an experiment tracker, through its own library."""

import importlib
import logging
import os
import re
import threading
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from hmgpu.core.errors import ConfigError
from hmgpu.pipeline.config import Config
from hmgpu.retrain.record import Record

log = logging.getLogger(__name__)

PROJECT = "hmgpu"
PATIENCE = 60  # seconds that a tracker may take
# How long the libraries try by themselves, which by default is for minutes.
SHORT = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "WANDB_INIT_TIMEOUT": "20"}


def tracker(kind: str) -> ModuleType | None:
    """Import the library of `retrain.tracking`; None for `none`. Raises ConfigError where it is not installed."""
    if kind == "none":
        return None
    try:
        return importlib.import_module(kind)
    except ModuleNotFoundError:
        raise ConfigError(
            f"retrain.tracking is {kind}, which is not installed: pip install {kind}, or set it to none."
        ) from None


def track(config: Config, record: Record) -> None:
    """Log a retrain to the tracker. What the tracker raises is only logged: it must not undo a retrain."""
    library = tracker(config.retrain.tracking)
    if library is None:
        return
    for name, value in SHORT.items():
        os.environ.setdefault(name, value)
    trying = threading.Thread(target=_log_to, args=(library, config, record), daemon=True)
    trying.start()
    trying.join(PATIENCE)
    if trying.is_alive():
        log.warning("%s did not answer within %g s: the retrain is not logged there.", library.__name__, PATIENCE)


def _log_to(library: ModuleType, config: Config, record: Record) -> None:
    settings = {key: str(value) for key, value in _flat(config.settings()).items() if not key.startswith("retrain.")}
    figures = {key: value for key, value in _flat(record.figures).items() if isinstance(value, int | float)}
    name = record.run or record.started
    try:
        if config.retrain.tracking == "mlflow":
            library.set_experiment(PROJECT)
            with library.start_run(run_name=name, tags={"outcome": record.outcome}):
                library.log_params(settings)
                library.log_metrics(figures)
        else:
            run = library.init(project=PROJECT, name=name, config=settings, tags=[record.outcome])
            run.log(figures)
            run.finish()
    except Exception as error:
        # A tracker's address may hold a password, and errors quote it.
        message = re.sub(r"(?<=//)[^/\s]*@", "", " ".join(str(error).split()))
        log.warning("%s could not log the retrain: %s", config.retrain.tracking, message)


def _flat(content: Mapping[str, Any], key: str = "") -> dict[str, Any]:
    """Flatten nested mappings into one, by `key.key`."""
    found = dict[str, Any]()
    for name, value in content.items():
        place = f"{key}.{name}" if key else name
        found |= _flat(value, place) if isinstance(value, Mapping) else {place: value}
    return found
