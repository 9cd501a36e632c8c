"""Show what variety costs: MAP against the variety of one ranker's lists, on a page."""

from collections.abc import Mapping
from typing import Any

from hmgpu.core.html.blocks import Grid, Section, score
from hmgpu.core.html.lines import Lines
from hmgpu.core.html.page import page

EXPLAINED = (
    "One ranker a week, fitted and stopped before it; its best candidates are ranked again by maximal marginal "
    "relevance. Relevance is the weight of the ranker's score (lists.diversify.relevance): 1 is its own order. The "
    "first chart has a place for each relevance, named by how varied its lists are."
)
WITHIN = ("by_fields", "by_pictures", "by_text")


def frontier_page(found: Mapping[str, Any]) -> str:
    """Return the page about the content of a `frontier-….json` (`hmgpu.experiments.frontier`)."""
    k, points = found["k"], found["points"]
    name, measures = f"map_at_{k}", list(points[0]["variety"])
    places = [f"{point['relevance']:.2f}" for point in points]
    maps, spans = [point[name] for point in points], [tuple(point["interval"]) for point in points]
    within = next((each for each in WITHIN if each in measures), "novelty")
    varied = [f"{point['variety'][within]:.3f}" for point in points]
    shares = [each for each in measures if each != "novelty"]
    rows = [
        [place, score(point[name]), " to ".join(map(score, point["interval"])), *_cells(point, measures)]
        for place, point in zip(places, points, strict=True)
    ]
    blocks = [
        Lines(
            f"MAP@{k} against variety ({within.replace('_', ' ')}), with the 95 % interval",
            "variety",
            varied,
            {"ranker": maps},
            score,
            from_zero=False,
            bands={"ranker": spans},
        ),
        Lines(
            "Variety by relevance",
            "relevance",
            places,
            {each.replace("_", " "): [point["variety"][each] for point in points] for each in shares},
            lambda value: f"{value:.2f}",
        ),
        Grid(
            f"MAP@{k} and variety",
            ["relevance", f"MAP@{k}", "95 % interval", *(each.replace("_", " ") for each in measures)],
            rows,
            strong=frozenset({places[0]}),
        ),
    ]
    about = f"{found['customers']:,} buyers in the weeks from {', '.join(found['weeks'])}."
    return page("What variety costs", about, [Section("Accuracy and variety", EXPLAINED, blocks)])


def _cells(point: Mapping[str, Any], measures: list[str]) -> list[str]:
    return [f"{point['variety'][each]:.3f}" for each in measures]
