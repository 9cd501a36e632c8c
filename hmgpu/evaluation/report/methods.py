"""Show how good the lists are: the ranker next to the methods that it must beat, for everybody and by segment."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from hmgpu.core.certainty import intervals
from hmgpu.core.html.blocks import Grid, Heat, Section, count, rate, score, share
from hmgpu.core.html.dots import Dots
from hmgpu.core.list_length import list_length
from hmgpu.evaluation.method_names import shown_as

EXPLAINED = (
    "Every method gives each customer {k} articles: “last week's best sellers” those of which most units were sold in "
    "the seven days before; “own past + best sellers” what the customer bought before, the newest first, then those; "
    "“order” the candidates in the config's order of retrievers; “ranker” what the fitted model scores highest. No "
    "setting moves the first two. A hit is a recommended article that the customer bought in the week. MAP@{k} and "
    "NDCG@{k} reward hits near the top of a list; hit rate@{k} is the share of customers with a hit; precision@{k} is "
    "the share of the {k} recommendations that are hits; coverage is the share of the articles on sale that are on at "
    "least one list."
)
AGES = (
    "How long an article had been selling when the week began decides what could be known of it. Only purchases of "
    "such articles count here; lists and candidates are the same as everywhere. Articles that nobody had bought can "
    "only be candidates where the shop says when articles are launched."
)
SEGMENTS = (
    "Active customers bought within the 28 days before the week, lapsed customers earlier, new customers never. "
    "MAP@{k} of each method is the mean over the customers of the segment."
)


def methods(metrics: Mapping[str, Any]) -> Section:
    """Return the section with all figures of every method."""
    k = list_length(metrics)
    found = metrics[f"map_at_{k}"]
    # Some figures are missing from the `metrics.json` of older versions.
    spans, places = metrics.get(f"map_at_{k}_interval", {}), metrics.get(f"precision_at_{k}", {})
    rows = [
        [
            shown_as(method),
            score(value),
            *([" to ".join(map(score, spans[method]))] if spans else []),
            score(metrics[f"ndcg_at_{k}"][method]),
            share(metrics[f"hit_rate_at_{k}"][method]),
            *([rate(places[method])] if places else []),
            share(metrics["coverage"][method]),
        ]
        for method, value in found.items()
    ]
    interval, precision = (["95 % interval"] if spans else []), ([f"precision@{k}"] if places else [])
    headings = ["method", f"MAP@{k}", *interval, f"NDCG@{k}", f"hit rate@{k}", *precision, "coverage"]
    table = Grid(f"{k} articles per customer", headings, rows, strong=frozenset({"ranker"}))
    figures = [(shown_as(method), value, spans.get(method)) for method, value in found.items()]
    dots = Dots(f"MAP@{k} and its 95 % interval", figures, strong=frozenset({"ranker"}))
    return Section("Methods", EXPLAINED.format(k=k), [dots, table])


def segments(metrics: Mapping[str, Any], precisions: pl.DataFrame) -> Section:
    """Return the section with MAP@k of every method in every segment.

    Args:
        precisions: (customer, segment, ranker), the average precisions of the ranker's lists.
    """
    found, k = metrics["segments"], list_length(metrics)
    headings = ["method", *(f"{name} ({count(segment['customers'])})" for name, segment in found.items())]
    rows = [
        [shown_as(method), *(score(segment[f"map_at_{k}"][method]) for segment in found.values())]
        for method in metrics[f"map_at_{k}"]
    ]
    table = Grid(f"MAP@{k} by segment (customers)", headings, rows, strong=frozenset({"ranker"}))
    theirs = precisions.select("customer", "segment", "ranker").partition_by("segment", as_dict=True)
    spans = {name: intervals(rows.drop("segment"))["ranker"] for (name,), rows in theirs.items()}
    figures = [(name, segment[f"map_at_{k}"]["ranker"], spans.get(name)) for name, segment in found.items()]
    dots = Dots(f"MAP@{k} of the ranker and its 95 % interval", figures, ordered=False)
    return Section("Segments", SEGMENTS.format(k=k), [dots, table])


def ages(metrics: Mapping[str, Any]) -> Section:
    """Return the section with MAP@k and recall by the age of articles; without blocks where the figures lack it."""
    found, k = metrics.get("ages", {}), list_length(metrics)
    if not found:
        return Section("Ages of articles", AGES, [])
    methods = list(metrics[f"map_at_{k}"])
    rows = [
        [
            age,
            *map(count, (figures["bought"], figures["articles"])),
            *(score(figures[f"map_at_{k}"][m]) for m in methods),
        ]
        for age, figures in found.items()
    ]
    recalls = [
        (name, [figures["ages"][age]["recall"] for age in found]) for name, figures in metrics["retrievers"].items()
    ]
    most = max(value for _, values in recalls for value in values)
    headings = ["first sold", "purchases", "articles", *map(shown_as, methods)]
    return Section(
        "Ages of articles",
        AGES,
        [
            Grid(f"MAP@{k} by the time since an article's first sale", headings, rows),
            Heat(
                "Recall by the time since an article's first sale, in %", "retriever", list(found), recalls, most or 1.0
            ),
        ],
    )
