"""Time contenders in turns, A B C A B C …, so that a slow spell of the machine hits all of them.

torch.utils.benchmark and pyperf each measure one contender to its end before the next (and torch's uses one thread), so
their ratios contain whatever else the machine did in between.
"""

import gc
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Contender:
    """One way of doing the work; `run` returns when all of it is done."""

    name: str
    run: Callable[[], Any]


@dataclass(frozen=True)
class Measurement:
    """The contenders' seconds and memory for the same work, round by round."""

    what: str
    rows: int
    unit: str
    """The word for what a row is; empty where nothing is counted."""
    against: str
    """The contender that the others are compared with."""
    seconds: Mapping[str, Sequence[float]]
    memory_mib: Mapping[str, float] = field(default_factory=dict)
    """Each contender's memory, where it was measured; the benchmark's settings say how."""
    column_bytes: int | None = None
    """Bytes of the columns that are read and computed; None where they were not counted."""
    bandwidth: Mapping[str, float] = field(default_factory=dict)
    """Bytes a second that each contender's memory can move."""

    def rows_per_second(self, name: str) -> float:
        return self.rows / median(self.seconds[name])

    def share_of_bandwidth(self, name: str) -> float | None:
        """Return the share of the time in which the memory at full speed would move the columns; None where unknown."""
        if self.column_bytes is None or name not in self.bandwidth:
            return None
        return self.column_bytes / self.bandwidth[name] / median(self.seconds[name])

    def times_faster(self, name: str) -> list[float]:
        """Return how many times as fast as `against` the contender was in each round, where both ran side by side."""
        return [theirs / own for theirs, own in zip(self.seconds[self.against], self.seconds[name], strict=True)]


def measure(
    what: str,
    rows: int,
    unit: str,
    contenders: Sequence[Contender],
    repeats: int,
    agree: Callable[[Mapping[str, Any]], None] = lambda results: None,
) -> Measurement:
    """Run every contender once to warm up, then `repeats` times in turn; others are compared with the last.

    Args:
        agree: gets what each contender returned while warming up, by name; raises where results differ.
    """
    log.info("%s: %s", what, ", ".join(each.name for each in contenders))
    agree({each.name: each.run() for each in contenders})
    seconds: dict[str, list[float]] = {each.name: [] for each in contenders}
    for _ in range(repeats):
        for each in contenders:
            gc.collect()  # so that no contender pays for another's garbage
            started = time.perf_counter()
            each.run()
            seconds[each.name].append(time.perf_counter() - started)
    return Measurement(what, rows, unit, contenders[-1].name, seconds)
