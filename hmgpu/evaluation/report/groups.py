"""Show for whom and for what the lists are good, how varied they are, and whether high scores mean likely purchases."""

from collections.abc import Mapping
from typing import Any

from hmgpu.core.html.blocks import Grid, Section, count, rate, score, share
from hmgpu.core.html.dots import Dots
from hmgpu.core.html.lines import Lines
from hmgpu.core.list_length import list_length
from hmgpu.evaluation.method_names import RANKER, shown_as

GROUPS = (
    "MAP@{k} of customers by what they had bought before the week and by age; and of purchases by price and by "
    "department, where only purchases of the group count and lists are the same as everywhere. Few customers make a "
    "figure unsure."
)
BY = {
    "purchases": "purchases made before the week",
    "age": "the customer's age",
    "price": "the price of what was bought",
    "department": "the department of what was bought",
}
CALIBRATION = (
    "All candidates of the customers in {bins} bins as large as each other, the highest scores first. A bin's lift is "
    "the share of its candidates that was bought, as a multiple of all candidates' share: 1 is no better than "
    "chance. Captured: which share of the bought candidates is in this bin or one before it. The last chart has the "
    "share of the articles at each place of the lists that was bought."
)
VARIETY = (
    "Novelty: the mean bits of information in an article, more for those that few customers had bought. By fields, by "
    "pictures, by text: how far two articles of a list are from each other, from 0 to 1. Popular: the share of places "
    "with one of the best sellers that make up 80 % of units. Gini: how unequally articles are on lists, from 0 to 1. "
    "Tail coverage: the share of all other articles on sale that are on any list."
)


def groups(metrics: Mapping[str, Any]) -> Section:
    """Return the section with MAP@k by groups; without blocks where the figures are of a version without them."""
    k, found, blocks = list_length(metrics), metrics.get("groups", {}), list[object]()
    for by, named in BY.items():
        figures: Mapping[str, Any] = found.get(by, {})
        if not figures:
            continue
        counts = [name for name in ("customers", "bought", "articles") if name in next(iter(figures.values()))]
        dots = [(name, group[f"map_at_{k}"][RANKER], None) for name, group in figures.items()]
        rows = [
            [name, *(count(group[each]) for each in counts), *map(score, group[f"map_at_{k}"].values())]
            for name, group in figures.items()
        ]
        methods = map(shown_as, next(iter(figures.values()))[f"map_at_{k}"])
        blocks.append(Dots(f"MAP@{k} of the ranker by {named}", dots, ordered=by == "department"))
        blocks.append(Grid(f"MAP@{k} of every method by {named}", ["group", *counts, *methods], rows))
    return Section("Groups", GROUPS.format(k=k), blocks)


def calibration(metrics: Mapping[str, Any]) -> Section:
    """Return the section with lift by bins of the score and purchases by place; without blocks without figures."""
    bins, places, blocks = metrics.get("calibration", []), metrics.get("by_place", {}), list[object]()
    if bins:
        upto = [f"{100 * (number + 1) / len(bins):.0f} %" for number in range(len(bins))]
        for title, key, text in (
            ("Lift", "lift", "{:.1f}".format),
            ("Share of the bought candidates that is captured", "captured", share),
        ):
            blocks.append(Lines(title, "candidates up to", upto, {key: [each[key] for each in bins]}, text))
        rows = [
            [name, count(each["candidates"]), f"{each['score']:.3f}", rate(each["bought"]), f"{each['lift']:.2f}"]
            for name, each in zip(upto, bins, strict=True)
        ]
        headings = ["candidates up to", "number", "mean score", "bought", "lift"]
        blocks.append(Grid("Candidates by their score, the highest first", headings, rows))
    if places:
        series = {shown_as(method): shares for method, shares in reversed(places.items())}
        ranks = [str(place) for place in range(1, len(next(iter(places.values()))) + 1)]
        blocks.append(Lines("Share of the articles at each place that was bought", "place", ranks, series, rate))
    return Section("Calibration", CALIBRATION.format(bins=len(bins)), blocks)


def variety(metrics: Mapping[str, Any]) -> Section:
    """Return the section with each measure of every method's lists; without blocks where the figures lack them."""
    found: Mapping[str, Mapping[str, float]] = metrics.get("variety", {})
    if not found:
        return Section("Variety", VARIETY, [])
    methods = list(next(iter(found.values())))
    rows = [[shown_as(method), *(f"{found[each][method]:.3f}" for each in found)] for method in methods]
    headings = ["method", *(each.replace("_", " ") for each in found)]
    return Section("Variety", VARIETY, [Grid("How varied lists are", headings, rows, strong=frozenset({RANKER}))])
