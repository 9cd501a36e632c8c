"""Optional packages: which extra of hmgpu brings each one, and how to install it."""

import importlib.util
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from hmgpu.core.errors import ConfigError

EXTRAS = {
    "catboost": "automl",
    "dask": "cluster",
    "distributed": "cluster",
    "duckdb": "peers",
    "fastapi": "serve",
    "feast": "feast",
    "gensim": "models",
    "implicit": "models",
    "kaggle": "kaggle",
    "lenskit": "peers",
    "lightgbm": "automl",
    "matplotlib": "plot",
    "merlin": "merlin",
    "nvtabular": "merlin",
    "optuna": "tune",
    "pandas": "peers",
    "prometheus_client": "serve",
    "pytorch_lightning": "merlin",
    "relbench": "relbench",
    "sentence_transformers": "encoders",
    "streamlit": "app",
    "timm": "encoders",
    "torch": "models",
    "torchvision": "encoders",
    "uvicorn": "serve",
}
"""By the name under which a package is imported, the extra that brings it."""

FROM_LOCK = frozenset({"merlin"})
"""Extras that plain pip can't resolve: Merlin's last releases pin packages of 2022."""


def missing(packages: Iterable[str]) -> list[str]:
    """Return the `packages` that are not installed, sorted."""
    return sorted(package for package in packages if importlib.util.find_spec(package) is None)


def remedy(package: str) -> str:
    """Say how to install `package`, as the end of a sentence."""
    extra = EXTRAS.get(package)
    if extra is None:  # a part of somebody else's may need any package
        return f"pip install {package}"
    if extra in FROM_LOCK:
        return (
            f"the extra {extra} pins packages of 2022, which pip can't resolve, so install the lock of hmgpu's "
            "repository: pip install --no-deps -r requirements.lock"
        )
    return f"pip install 'hmgpu[{extra}]'"


@contextmanager
def needed_by(what: str) -> Iterator[None]:
    """Raise ConfigError with the remedy where the block imports an optional package that is not installed.

    with needed_by("hmgpu tune"):
        import optuna
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise  # a bug in hmgpu or in that package
        raise ConfigError(f"{what} needs {package}, which is not installed: {remedy(package)}.") from None
