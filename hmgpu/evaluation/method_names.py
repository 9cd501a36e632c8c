"""The methods that every evaluation scores: two fixed baselines, the candidates in the config's order, and the ranker.

Columns and figures are called by the keys; people read the names.
"""

BEST_SELLERS, OWN_PAST, ORDER, RANKER = "best_sellers", "own_past", "order", "ranker"

BASELINES = {BEST_SELLERS: "last week's best sellers", OWN_PAST: "own past + best sellers"}
"""The baselines' names by key; `hmgpu.pipeline.baselines` defines their lists."""
METHODS = (*BASELINES, ORDER, RANKER)
FORMER = {"repurchase_popular": "repurchase + popular"}  # in what earlier versions evaluated


def shown_as(method: str) -> str:
    """Return the name that people read of a method."""
    return (BASELINES | FORMER).get(method, method)
