"""Show a run's result at a glance: how far it is ahead of a simple method, and three customers' lists."""

from collections.abc import Sequence
from dataclasses import replace

from hmgpu.core.html.blocks import Card, Hero, Section, count, share
from hmgpu.data.segments import SEGMENTS
from hmgpu.evaluation.report.evaluated import Evaluated
from hmgpu.evaluation.verdict import ahead

LEAD = (
    "How good the lists are for the {} customers who bought in the week, and three of them: one of each segment, with "
    "a hit where there is one. Frames mark what was both recommended and bought. The section Customers has misses too."
)


def result(week: Evaluated, cards: Sequence[tuple[str, Card]]) -> Section:
    """Return the section with the ratio to a simple method, and the first of each segment's `cards`, small.

    Args:
        cards: what `customers.cards_of` returned, the best outcome of a segment first.
    """
    found = ahead(week.metrics, week.precisions)
    blocks: list[object] = []
    if found and found.times is not None:
        k, value = found.k, week.metrics[f"map_at_{found.k}"]["ranker"]
        chance = "" if found.sure else ", so it may be chance"
        blocks.append(
            Hero(
                f"{found.times:.2f} ×",
                f"the MAP@{k} of {found.over}, a list that needs no model",
                f"95 % interval {found.low:.2f} to {found.high:.2f}{chance}. The ranker's MAP@{k} is {value:.5f}, and "
                f"{share(week.metrics[f'hit_rate_at_{k}']['ranker'])} of the lists have a hit.",
            )
        )
    first = dict(reversed(cards))
    for card in (first[segment] for segment in SEGMENTS if segment in first):
        # Their ids are in the section Customers: this part of the page may be forwarded.
        blocks.append(replace(card, small=True, about=card.about.partition(" · ")[2]))
    return Section("Result", LEAD.format(count(week.metrics["customers"])), blocks)
