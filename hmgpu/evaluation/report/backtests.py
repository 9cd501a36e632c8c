"""Show several configs on one page, scored on the same last weeks."""

from collections.abc import Mapping
from typing import Any

from hmgpu.core.html.blocks import Grid, Section, count, score
from hmgpu.core.html.dots import Dots
from hmgpu.core.html.lines import Lines
from hmgpu.core.html.page import page

EXPLAINED = (
    "MAP@{k} over the same {customers} buyers for all, each week by rankers that were fitted and stopped before it. A "
    "customer who bought in two weeks counts twice. Seconds are those of all steps of a week's run, reused ones "
    "included, so they depend on what else the machine did."
)
PAIRED = (
    "The second minus the first, customer by customer, the largest difference first; in bold where chance makes one as "
    "large less than once in twenty times, corrected for the number of pairs (Holm)."
)
LIMIT = 0.05


def backtests_page(found: Mapping[str, Any]) -> str:
    """Return the page about the content of a `backtest-….json` (`hmgpu.experiments.backtests`)."""
    k, weeks = found["k"], found["weeks"]
    ran = {name: each for name, each in found["configs"].items() if "reason" not in each}
    everything = ran | found["baselines"]
    best_first = dict(sorted(everything.items(), key=lambda item: -item[1][f"map_at_{k}"]))
    rows = [[name, *_cells(each, k)] for name, each in best_first.items()]
    blocks: list[object] = [
        Dots(
            f"MAP@{k} over all weeks and its 95 % interval",
            [(name, each[f"map_at_{k}"], tuple(each["interval"])) for name, each in best_first.items()],
            strong=frozenset(ran),
        ),
        Grid(f"MAP@{k}", ["config", "all weeks", "95 % interval", *weeks, "seconds a week", "GiB"], rows),
        Lines(f"MAP@{k} by week", "week", weeks, {name: each["weeks"] for name, each in best_first.items()}, score),
    ]
    refused = [[name, each["reason"]] for name, each in found["configs"].items() if "reason" in each]
    if refused:
        blocks.append(Grid("Can't run on this data", ["config", "why"], refused, numbers=False))
    pairs = [_pair(pair) for pair in sorted(found["pairs"], key=lambda pair: -abs(pair["difference"]))]
    sure = frozenset(name for name, *cells in pairs if float(cells[-1]) < LIMIT)
    headings = ["first, second", "difference", "95 % interval", "p", "corrected p"]
    customers = count(found["customers"])
    return page(
        "Several configs, each week scored by rankers fitted before it",
        f"Weeks from {', '.join(weeks)}.",
        [
            Section("Configs", EXPLAINED.format(k=k, customers=customers), blocks),
            Section("Pairs", PAIRED, [Grid("Pairs", headings, pairs, strong=sure)]),
        ],
    )


def _cells(each: Mapping[str, Any], k: int) -> list[str]:
    cost = [count(each["seconds"]), f"{each['peak_gib']:.1f}"] if "seconds" in each else ["", ""]
    return [score(each[f"map_at_{k}"]), " to ".join(map(score, each["interval"])), *map(score, each["weeks"]), *cost]


def _pair(pair: Mapping[str, Any]) -> list[str]:
    span = f"{pair['low']:+.5f} to {pair['high']:+.5f}"
    tests = (f"{pair['p_value']:.4f}", f"{pair['corrected']:.4f}")
    return [f"{pair['first']}, {pair['second']}", f"{pair['difference']:+.5f}", span, *tests]
