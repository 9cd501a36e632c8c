"""Simulate the purchases of every day: which customers come, how large their baskets are, and what is in them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hmgpu.data.synthetic import choice
from hmgpu.data.synthetic.arrays import Bools, Doubles, Ints, Longs, Stream, generator
from hmgpu.data.synthetic.catalogue import SyntheticCatalogue
from hmgpu.data.synthetic.customers import Customers
from hmgpu.data.synthetic.demand import ShopWeek, shelves
from hmgpu.data.synthetic.memory import Memory
from hmgpu.data.synthetic.recollection import recollect
from hmgpu.data.synthetic.span import DAYS, FIRST_DATE, MISSING

# Relative sales by weekday (from Wednesday) and by month (from January).
WEEKDAYS = (1.08, 1.05, 1.02, 1.05, 0.92, 0.95, 0.90)
MONTHS = (0.92, 0.82, 0.93, 1.05, 1.16, 1.26, 1.20, 0.97, 0.92, 0.94, 0.94, 0.88)
LARGEST_BASKET = 40
# Marginals of docs/synthetic.md decide these: days between baskets;
RETURN, RETURN_DAYS = 0.12, 6.0
"""Probability that a visit makes the customer come back soon, and the mean number of days until then."""
# … the size of baskets after few days, and of those with a repeat;
RETURN_BASKET, AGAIN_BASKET = 0.6, 0.75
"""Size of the basket of such a visit, and of one for something again, relative to the customer's others."""
# … baskets of 1, 2, 3, ... articles;
BASKET_SHAPE = 1.2
"""Shape of the gamma distribution of a visit's further lines: lower means more of very small and very large baskets."""
# … lines of several units.
MORE_UNITS = (0.107, 0.0115, 0.0035, 0.0014, 0.0007, 0.0004, 0.0003, 0.0002, 0.00017)
"""Probabilities that a line has more than one, two, three, ... units."""


@dataclass(frozen=True)
class PurchaseRows:
    """Purchases of one day, by customer. All arrays have shape (rows,); a line of two units is two rows."""

    day: int
    """Days since 2018-09-20."""
    customer: Longs
    article: Longs
    price: Ints
    channel: Ints
    """1 store, 2 online."""


@dataclass
class Simulation:
    """Everything that the next purchase depends on."""

    articles: SyntheticCatalogue
    people: Customers
    memory: Memory
    seed: int

    def visit(self, rng: np.random.Generator, shelf: ShopWeek, day: int, who: Longs) -> tuple[Longs, Longs, Bools]:
        """Let each of the customers `who` (n,) visit once.

        Returns the visit and the article of every line, and which visits are online.
        """
        online = rng.random(len(who)) < self.people.online[who]
        mind = recollect(self.people, self.articles, shelf, self.memory, who, day)
        again = rng.random(len(who)) < mind.again
        usual = self.people.basket[who] * np.where(self.memory.due[who] == day, RETURN_BASKET, 1)
        extra = rng.gamma(BASKET_SHAPE, usual * np.where(again, AGAIN_BASKET, 1) / BASKET_SHAPE)
        lines = np.minimum(1 + rng.poisson(extra), LARGEST_BASKET)
        visit = np.repeat(np.arange(len(who)), lines)
        first = np.cumsum(lines) - lines
        leads = np.zeros(len(visit), dtype=np.bool_)
        leads[first] = True

        # A visit is for something again or it is not, however many lines it has.
        stray = np.where(leads, 0, choice.STRAY * mind.again[visit])
        same = np.where(again[visit], np.where(leads, 1, choice.ALSO), stray)
        article = choice.remembered(rng, self.articles, shelf, mind, visit, same)

        def fill(missing: Bools) -> None:
            empty = visit[missing]
            article[missing] = choice.fresh(
                rng, self.people, self.articles, shelf, mind, empty, who[empty], online[empty]
            )

        fill(leads & (article < 0))
        joins = np.flatnonzero(~leads & (article < 0))
        article[joins] = choice.outfit(rng, self.articles, shelf, article[first][visit[joins]])
        fill(article < 0)
        # An article that was chosen twice in a visit is one line; the number of its units is sampled later.
        _, once = np.unique(visit * len(self.articles) + article, return_index=True)
        once.sort()
        return visit[once], article[once], online


def purchases(simulation: Simulation, rows: int) -> Iterator[PurchaseRows]:
    """Yield the purchases of all days in turn, about `rows` rows in all; the memory changes as it goes."""
    wanted = np.cumsum(_day_shares()) * rows
    written, rows_a_visit = 0, 3.6
    shop = shelves(simulation.articles, simulation.seed)
    shelf = next(shop)
    comers = np.cumsum(_eagerness(simulation, 0))
    for day in range(DAYS):
        week, weekday = divmod(day + MISSING, 7)
        if weekday == 0:
            shelf = next(shop)
            comers = np.cumsum(_eagerness(simulation, week))
        rng = generator(simulation.seed, Stream.PURCHASES, day)
        visits = max(1, round((wanted[day] - written) / rows_a_visit))
        sure = np.flatnonzero((simulation.people.sure == day) | (simulation.memory.due == day))
        found = np.searchsorted(comers, rng.random(max(0, visits - len(sure))) * comers[-1], side="right")
        who = np.union1d(sure, np.minimum(found, len(comers) - 1))
        sold = _sell(simulation, rng, shelf, day, who)
        written += len(sold.customer)
        # Frequent customers have other baskets than the rest, so the number of visits follows the real size of baskets.
        rows_a_visit += 0.05 * (len(sold.customer) / visits - rows_a_visit)
        yield sold


def _sell(simulation: Simulation, rng: np.random.Generator, shelf: ShopWeek, day: int, who: Longs) -> PurchaseRows:
    visit, article, online = simulation.visit(rng, shelf, day, who)
    pays = choice.coupon(rng, len(who))
    price = np.maximum(np.rint(shelf.price[article] * pays[visit]), 1).astype(np.int32)
    uses_up = np.sqrt(simulation.articles.repeat[article])
    uniform = rng.random(len(visit))
    units = 1 + sum((uniform < p * uses_up).astype(np.int64) for p in MORE_UNITS)
    place = np.arange(len(visit)) - np.searchsorted(visit, visit)
    simulation.memory.keep(who[visit], place, article.astype(np.int32), day)
    back = day + 1 + rng.exponential(RETURN_DAYS, len(who)).astype(np.int16)
    simulation.memory.due[who] = np.where(rng.random(len(who)) < RETURN, back, -1)
    row = np.repeat(np.arange(len(visit)), units)
    channel = np.where(online, 2, 1).astype(np.int32)
    return PurchaseRows(day, who[visit][row], article[row], price[row], channel[visit][row])


def _eagerness(simulation: Simulation, week: int) -> Doubles:
    """Weight with which each customer comes this week of their own accord."""
    people = simulation.people
    here = (people.start <= week) & (week < people.end)
    return np.where(here, people.rate, 0).astype(np.float64)


def _day_shares() -> Doubles:
    """Each day's share of all rows, by weekday and month."""
    dates = np.datetime64(FIRST_DATE) + np.arange(DAYS)
    month = (dates.astype("datetime64[M]").astype(np.int64) % 12).astype(np.int64)
    weekday = (np.arange(DAYS) + MISSING) % 7
    share = np.array(WEEKDAYS)[weekday] * np.array(MONTHS)[month]
    shares: Doubles = share / share.sum()
    return shares
