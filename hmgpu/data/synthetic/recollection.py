"""What the customers of some visits have in mind of what they bought before."""

from dataclasses import dataclass

import numpy as np

from hmgpu.data.synthetic.arrays import Floats, Ints, Longs
from hmgpu.data.synthetic.catalogue import SyntheticCatalogue
from hmgpu.data.synthetic.customers import Customers
from hmgpu.data.synthetic.demand import ShopWeek
from hmgpu.data.synthetic.memory import Memory

# Marginals of docs/synthetic.md decide these: what is bought before, by weeks; baskets with a repeat, by days and size.
HABIT = ((3.2, 6.0), (20.0, 0.1), (1000.0, 0.028))
"""How much a purchase is wanted again by the days since: a sum of exponentials (days, weight)."""
AGAIN, ENOUGH = 0.46, 2.0
"""Largest probability that a visit is for something again, and the sum of habits at which it is half of that."""
# … the same of products, less that of articles:
THOUGHT = ((14.0, 1.0), (300.0, 0.35))
"""How much a purchase brings its other colours and companions to mind by the days since, likewise."""
# … and the same department, by days:
ERRAND_DAYS = 4.0
"""How many days a purchase keeps its department in mind."""


@dataclass(frozen=True)
class Recollection:
    """One row a visit; the columns are the slots of the customer's memory."""

    article: Ints
    """(visits, DEPTH): articles bought before; -1 for an empty slot."""
    habit: Floats
    """(visits, DEPTH): how much each is wanted again."""
    again: Floats
    """(visits,): probability that the visit is for something again."""
    thought: Floats
    """(visits, DEPTH): how much each brings other articles to mind."""
    errand: Floats
    """(visits, DEPTH): how much each keeps its department in mind."""


def recollect(
    people: Customers, articles: SyntheticCatalogue, shelf: ShopWeek, memory: Memory, who: Longs, day: int
) -> Recollection:
    """Return what the customers `who` (visits,) have in mind on a day.

    Articles are wanted again that were bought recently, that people use up, and that still sell.
    """
    past = memory.article[who]
    since = (day - memory.day[who]).astype(np.float32)
    known = past >= 0
    habit = np.where(known, _faded(since, HABIT) * articles.repeat[past] * shelf.vigour[past], 0)
    loyal = people.loyalty[who] * habit.sum(axis=1)
    return Recollection(
        article=past,
        habit=habit,
        again=AGAIN * loyal / (ENOUGH + loyal),
        thought=np.where(known, _faded(since, THOUGHT), 0),
        errand=np.where(known, _faded(since, ((ERRAND_DAYS, 1.0),)), 0),
    )


def _faded(since: Floats, parts: tuple[tuple[float, float], ...]) -> Floats:
    total = np.zeros_like(since)
    for days, weight in parts:
        total += np.float32(weight) * np.exp(since * np.float32(-1 / days))
    return total
