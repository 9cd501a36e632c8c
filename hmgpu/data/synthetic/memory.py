"""What each customer bought recently, and when they come back for more, on which later purchases depend."""

import numpy as np

from hmgpu.data.synthetic.arrays import Ints, Longs

DEPTH = 24


class Memory:
    """The last DEPTH lines of every customer, each article once; the oldest are overwritten first."""

    def __init__(self, customers: int) -> None:
        self.article = np.full((customers, DEPTH), -1, dtype=np.int32)
        self.day = np.zeros((customers, DEPTH), dtype=np.int16)
        self.due = np.full(customers, -1, dtype=np.int16)
        """Day on which the customer comes back because of the latest visit; -1 for no such day."""
        self._written = np.zeros(customers, dtype=np.uint8)

    def keep(self, who: Longs, place: Longs, article: Ints, day: int) -> None:
        """Remember the lines of a day, at most one visit a customer; `place` numbers the lines of a visit from 0."""
        kept = place < DEPTH
        who, place, article = who[kept], place[kept], article[kept]
        line, before = np.nonzero(self.article[who] == article[:, None])
        self.article[who[line], before] = -1
        slot = (self._written[who] + place) % DEPTH
        self.article[who, slot] = article
        self.day[who, slot] = day
        lines = np.bincount(np.unique(who, return_inverse=True)[1])
        visitors = np.unique(who)
        self._written[visitors] = (self._written[visitors] + lines) % DEPTH
