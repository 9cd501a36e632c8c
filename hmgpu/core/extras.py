"""Optional packages: which extra of hmgpu brings each of them, and how to install it."""

import importlib.util
from collections.abc import Iterable

EXTRAS = {
    "dask": "cluster",
    "distributed": "cluster",
    "gensim": "models",
    "implicit": "models",
    "kaggle": "kaggle",
    "matplotlib": "plot",
    "merlin": "merlin",
    "nvtabular": "merlin",
    "optuna": "tune",
    "pytorch_lightning": "merlin",
    "sentence_transformers": "encoders",
    "torch": "models",
}
"""The extra that brings a package, by the name under which it is imported."""

FROM_LOCK = frozenset({"merlin"})
"""Extras that plain pip can't resolve: the metadata of Merlin's last releases asks for packages of 2022."""


def missing(packages: Iterable[str]) -> list[str]:
    """Those of `packages` that are not installed, sorted."""
    return sorted(package for package in packages if importlib.util.find_spec(package) is None)


def remedy(package: str) -> str:
    """How to install `package`, as the end of a sentence."""
    extra = EXTRAS[package]
    if extra in FROM_LOCK:
        return "pip can't resolve Merlin's pins of 2022; install the lock: pip install --no-deps -r requirements.lock"
    return f"pip install 'hmgpu[{extra}]'"
