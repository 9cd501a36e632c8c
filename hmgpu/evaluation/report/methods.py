"""How good the lists are: the ranker beside what it must beat, for everybody and by segment."""

from collections.abc import Mapping
from typing import Any

from hmgpu.core.html.blocks import Bars, Grid, Section, count, rate, score, share

EXPLAINED = (
    "Every method gives each customer twelve articles. MAP@12 and NDCG@12 reward hits near the top, the hit rate@12 is "
    "the share of customers with a hit, precision@12 (the average hit rate) the share of the twelve places that hit, "
    "coverage the share of the articles on sale that anybody is shown."
)
SEGMENTS = (
    "Active customers bought within the 28 days before the week, lapsed ones earlier, new ones never. MAP@12 of each "
    "method over the customers of the segment."
)


def named(method: str) -> str:
    """A method as people read it: repurchase + popular."""
    return method.replace("_", " + ")


def methods(metrics: Mapping[str, Any]) -> Section:
    """All figures of every method."""
    found = metrics["map_at_12"]
    # Figures that not every version of `metrics.json` has are shown where they are.
    spans, places = metrics.get("map_at_12_interval", {}), metrics.get("precision_at_12", {})
    rows = [
        [
            named(method),
            score(value),
            *([" to ".join(map(score, spans[method]))] if spans else []),
            score(metrics["ndcg_at_12"][method]),
            share(metrics["hit_rate_at_12"][method]),
            *([rate(places[method])] if places else []),
            share(metrics["coverage"][method]),
        ]
        for method, value in found.items()
    ]
    interval, precision = (["95 % interval"] if spans else []), (["precision@12"] if places else [])
    headings = ["method", "MAP@12", *interval, "NDCG@12", "hit rate@12", *precision, "coverage"]
    table = Grid("Twelve articles a customer", headings, rows, strong=frozenset({"ranker"}))
    bars = Bars("MAP@12", [(named(method), value, score(value)) for method, value in found.items()])
    return Section("Methods", EXPLAINED, [bars, table])


def segments(metrics: Mapping[str, Any]) -> Section:
    """MAP@12 of every method in every segment."""
    found = metrics["segments"]
    headings = ["method", *(f"{name} ({count(segment['customers'])})" for name, segment in found.items())]
    rows = [
        [named(method), *(score(segment["map_at_12"][method]) for segment in found.values())]
        for method in metrics["map_at_12"]
    ]
    table = Grid("MAP@12 by segment (customers)", headings, rows, strong=frozenset({"ranker"}))
    bars = Bars(
        "MAP@12 of the ranker",
        [(name, s["map_at_12"]["ranker"], score(s["map_at_12"]["ranker"])) for name, s in found.items()],
    )
    return Section("Segments", SEGMENTS, [bars, table])
