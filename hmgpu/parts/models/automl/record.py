"""What an ensemble's search found: the figures of each model, and the line of the log that tells of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hmgpu.core.list_length import K
from hmgpu.parts.models.automl.ensemble import TOP, Lists, Matrix

ORDER = "order"
"""The name of the member that is the order of the retrievers."""
LEAST = 30  # customers with a purchase among their candidates: from fewer nothing is concluded


def record_of(
    lists: Lists, worth: Mapping[str, Matrix], settings: Mapping[str, Any], weights: Mapping[str, float]
) -> dict[str, Any]:
    """Return what was tried and chosen, as JSON can hold it.

    Args:
        lists: what was judged on.
        worth: each model's `Lists.worth`, by its name. settings: likewise those that it was fitted with.
        weights: of the ensemble's members.
    """
    ensemble = sum((weight * worth[name] for name, weight in weights.items()), np.zeros(lists.shape))
    tried = [
        {"name": name, "settings": each, "weight": weights.get(name, 0.0)} | values_of(lists, worth[name])
        for name, each in settings.items()
    ]
    return {"customers": lists.shape[0], "ensemble": values_of(lists, ensemble), "tried": tried}


def said(record: Mapping[str, Any]) -> str:
    """Return what was found as one line."""
    members = sorted((each for each in record["tried"] if each["weight"]), key=lambda each: -each["weight"])
    names = ", ".join(f"{each['name']} {each['weight']:.2f} ({each[f'map_at_{K}']:.5f})" for each in members)
    if record["customers"] < LEAST:
        return f"too little to choose on ({record['customers']} lists with a purchase); all kinds alike: {names}"
    return (
        f"{len(record['tried'])} models judged on {record['customers']:,} lists of {record['weeks']} weeks; the "
        f"ensemble has MAP@{K} {record['ensemble'][f'map_at_{K}']:.5f}, its members, by weight: {names}"
    )


def values_of(lists: Lists, worth: Matrix) -> dict[str, float]:
    """Return the figures of a model on the lists; 0 where there are none."""
    if not lists.shape[0]:
        return {f"ndcg_at_{TOP}": 0.0, f"map_at_{K}": 0.0}
    ranks = lists.ranks(worth)
    return {f"ndcg_at_{TOP}": lists.ndcg(ranks), f"map_at_{K}": lists.map(ranks)}


def even(names: Sequence[str]) -> dict[str, float]:
    """Return even weights of the first model of each kind among `names`, and of the order of the retrievers."""
    members = [name for name in names if name.endswith("_1") or name == ORDER]
    return dict.fromkeys(members, 1 / len(members))
