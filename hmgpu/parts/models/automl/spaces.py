"""Which settings of each kind of ranker are searched, and where the search starts.

The ranges lie around the values in the write-ups of the H&M competition.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

TREES = 25
"""Trees at most, times what each contributes: 250 at a tenth, as `xgboost` has them."""


class Trial(Protocol):
    """One sample of settings, such as Optuna's."""

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """Sample a whole number."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Sample a number."""

    def suggest_categorical(self, name: str, choices: list[Any]) -> Any:
        """Sample one of the choices."""


def of_xgboost(trial: Trial) -> dict[str, Any]:
    """Sample settings of `xgboost`."""
    return {
        "depth": trial.suggest_int("depth", 2, 9),
        "min_child_weight": _rounded(trial, "min_child_weight", 1, 200),
        "l2": _rounded(trial, "l2", 0.1, 100),
        "rows": _share(trial, "rows", 0.5),
        "columns": _share(trial, "columns", 0.2),
        **steps(_rounded(trial, "learning_rate", 0.01, 0.2)),
        "objective": trial.suggest_categorical("objective", ["rank:ndcg", "rank:pairwise", "binary:logistic"]),
    }


def of_lightgbm(trial: Trial) -> dict[str, Any]:
    """Sample settings of `lightgbm`."""
    return {
        "leaves": trial.suggest_int("leaves", 4, 127, log=True),
        "least": trial.suggest_int("least", 10, 500, log=True),
        "l2": _rounded(trial, "l2", 0.1, 100),
        "rows": _share(trial, "rows", 0.5),
        "columns": _share(trial, "columns", 0.2),
        **steps(_rounded(trial, "learning_rate", 0.01, 0.2)),
        "objective": trial.suggest_categorical("objective", ["lambdarank", "rank_xendcg", "binary"]),
    }


def of_catboost(trial: Trial) -> dict[str, Any]:
    """Sample settings of `catboost`."""
    return {
        "depth": trial.suggest_int("depth", 2, 8),
        "l2": _rounded(trial, "l2", 0.5, 100),
        "columns": _share(trial, "columns", 0.2),
        **steps(_rounded(trial, "learning_rate", 0.01, 0.2)),
        "objective": trial.suggest_categorical("objective", ["YetiRank", "QuerySoftMax", "QueryRMSE"]),
    }


def of_logistic(trial: Trial) -> dict[str, Any]:
    """Sample settings of `logistic`."""
    return {"l2": _rounded(trial, "l2", 0.1, 10_000)}


def of_dnn(trial: Trial) -> dict[str, Any]:
    """Sample settings of `dnn`."""
    widths = {"narrow": [64, 32], "middle": [256, 128], "wide": [512, 256]}
    return {
        "hidden": widths[trial.suggest_categorical("hidden", list(widths))],
        "dropout": round(trial.suggest_float("dropout", 0.0, 0.5), 3),
        "weight_decay": _rounded(trial, "weight_decay", 1e-5, 1e-2, 6),
        "learning_rate": _rounded(trial, "learning_rate", 3e-4, 3e-3, 6),
        "loss": trial.suggest_categorical("loss", ["binary", "listwise"]),
    }


SPACES: Mapping[str, Callable[[Trial], dict[str, Any]]] = {
    "xgboost": of_xgboost,
    "lightgbm": of_lightgbm,
    "catboost": of_catboost,
    "logistic": of_logistic,
    "dnn": of_dnn,
}
"""By the kind of a ranker, what samples its settings."""


def steps(rate: float) -> dict[str, Any]:
    """Return settings of trees that each contribute `rate`: the smaller their steps, the more of them."""
    return {"learning_rate": rate, "rounds": round(TREES / rate), "patience": round(TREES / 10 / rate)}


def _rounded(trial: Trial, name: str, low: float, high: float, digits: int = 3) -> float:
    return round(trial.suggest_float(name, low, high, log=True), digits)


def _share(trial: Trial, name: str, low: float) -> float:
    return round(trial.suggest_float(name, low, 1.0), 3)
