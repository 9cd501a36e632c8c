"""What each customer bought lately: the reason why they buy again."""

import numpy as np

from hmgpu.data.synthetic.arrays import Ints, Longs

DEPTH = 24


class Memory:
    """The last DEPTH lines of every customer, oldest overwritten first."""

    def __init__(self, customers: int) -> None:
        self.article = np.full((customers, DEPTH), -1, dtype=np.int32)
        self.day = np.zeros((customers, DEPTH), dtype=np.int16)
        self.last_visit = np.full(customers, -1000, dtype=np.int16)
        self._written = np.zeros(customers, dtype=np.uint8)

    def keep(self, who: Longs, place: Longs, article: Ints, day: int) -> None:
        """Remember lines of a day; `place` is the line's number in its visit, from 0. One visit a customer and day."""
        kept = place < DEPTH
        who, place, article = who[kept], place[kept], article[kept]
        slot = (self._written[who] + place) % DEPTH
        self.article[who, slot] = article
        self.day[who, slot] = day
        lines = np.bincount(np.unique(who, return_inverse=True)[1])
        visitors = np.unique(who)
        self._written[visitors] = (self._written[visitors] + lines) % DEPTH
        self.last_visit[visitors] = day
