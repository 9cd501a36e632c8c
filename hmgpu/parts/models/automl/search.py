"""Fit models of several kinds within a budget of fits, sampling settings by what a kind's earlier fits were worth.

The sampler is Optuna's tree-structured Parzen estimator (Bergstra et al. 2011; Akiba et al. 2019), as in `hmgpu tune`.
The budget is a number of fits and not of seconds, so that the same seed finds the same models on any machine.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hmgpu.core.extras import needed_by
from hmgpu.parts.models.automl.ensemble import TOP
from hmgpu.parts.models.automl.spaces import SPACES
from hmgpu.parts.part import build
from hmgpu.parts.ranker import Ranker

log = logging.getLogger(__name__)

STARTUP = 4  # fits of a kind that are sampled at random before the estimator learns from them


def tried(
    kinds: Sequence[str],
    first: Mapping[str, Mapping[str, Any]],
    fits: int,
    seed: int,
    value_of: Callable[[str, Ranker], float],
) -> dict[str, Ranker]:
    """Return `fits` rankers by name, one of each kind after the other; the first of a kind has its default settings.

    Args:
        kinds: of rankers, in their order.
        first: settings of a kind's first fit that differ from its defaults.
        fits: how many.
        seed: of the samples.
        value_of: fits a ranker, by its name, and says what it is worth; more is better.
    """
    with needed_by("The ranker automl"):
        import optuna
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    studies = {
        kind: optuna.create_study(
            direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed + place, n_startup_trials=STARTUP)
        )
        for place, kind in enumerate(kinds)
    }
    found = dict[str, Ranker]()
    for number in range(fits):
        kind, turn = kinds[number % len(kinds)], number // len(kinds)
        trial = studies[kind].ask() if turn else None
        sampled = SPACES[kind](trial) if trial else dict(first.get(kind, {}))
        ranker = build(Ranker, kind, sampled)
        name = f"{kind}_{turn + 1}"
        value = value_of(name, ranker)
        if trial:
            studies[kind].tell(trial, value)
        what = sampled or "its defaults"
        log.info("automl: fit %d of %d, %s: NDCG@%d %.5f with %s", number + 1, fits, name, TOP, value, what)
        found[name] = ranker
    return found
