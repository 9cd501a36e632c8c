"""The customers: who they are, what they like and how often they come."""

from dataclasses import dataclass

import numpy as np

from hmgpu.data.synthetic.arrays import Floats, Ints, Stream, generator
from hmgpu.data.synthetic.catalogue import DEPARTMENT_SECTION, DEPARTMENT_SHARE, STYLES
from hmgpu.data.synthetic.span import DAYS, MISSING, WEEKS
from hmgpu.data.synthetic.vocabulary import COLOUR_FAMILIES, SECTIONS

FAVOURITES = 10
JOINING = 0.28
"""Share of customers whose first purchase is in the data; the others were customers before it begins."""
# Marginals of docs/synthetic.md decide these: customers without a purchase in the last 13 weeks;
STAY = 400
"""Mean weeks from the first visit to the last possible one."""
# … rows and shopping days a customer;
RATE_SHAPE, RATES = 0.8, 0.7
"""How often customers come: shape of its gamma part, and standard deviation of the log of its other part."""
# … what is bought before, by how much a customer buys;
NOVELTY = 0.5
"""The more often customers come, the less readily they buy an article again: loyalty falls with this power of it."""
# … rows a basket;
BASKET, BASKETS = 2.5, 0.55
"""Mean number of lines of a visit beyond the first, and the standard deviation of its log between customers."""
# … how little ages explain of what sections sell, and the same index group, times chance.
BLUR = 2.2
"""How much wider than its own buyers' ages a department's appeal is."""
OTHER_SEX = -2.0
"""Log weight that a department loses for customers whom it doesn't dress."""
CHUNK = 50_000


@dataclass(frozen=True)
class Customers:
    """One entry a customer, in the order of customer ids."""

    age: Floats
    """Age in years, 16 to 95; `customers.csv` has it for 99 % of them."""
    woman: Floats
    """1 or 0; in no file."""
    postcode: Ints
    """Number of the postal code; 0 is the placeholder for customers without one."""
    start: Ints
    """Week of the first visit; -1 if it is before the data begins."""
    end: Ints
    """Week after the last possible visit."""
    sure: Ints
    """Day (from 2018-09-20) with a certain visit, since a shop knows only customers who came; -1 for a few."""
    rate: Floats
    """How often they come, relative to others."""
    basket: Floats
    """Mean number of lines of a visit beyond the first."""
    online: Floats
    """Probability that a visit is online."""
    loyalty: Floats
    """How readily they buy an article again, about 1 on average."""
    level: Floats
    """Log of the price level they like, relative to the usual price."""
    bargains: Floats
    """How strongly markdowns attract them, about 1 on average."""
    style: Floats
    """(customers, STYLES): taste in styles."""
    colour: Floats
    """(customers, colour families): taste in colours."""
    favourites: Ints
    """(customers, FAVOURITES): departments they usually visit."""
    attention: Floats
    """(customers, FAVOURITES): shares of their attention; each row sums to 1."""

    def __len__(self) -> int:
        return len(self.age)


def customers(count: int, seed: int) -> Customers:
    """Sample `count` customers."""
    rng = generator(seed, Stream.CUSTOMERS, 0)
    young = rng.random(count) < 0.62
    age = np.where(young, 16 + rng.gamma(3.1, 3.4, count), rng.normal(50, 9.5, count))
    age = np.floor(np.clip(age, 16, 95)).astype(np.float32)
    woman = (rng.random(count) < 0.82).astype(np.float32)
    parent = rng.random(count) < np.where((age > 26) & (age < 48), 0.45, 0.1)
    codes = max(2, round(0.3 * count))
    postcode = np.where(rng.random(count) < 0.09, 0, 1 + codes * rng.random(count) ** 1.3).astype(np.int32)
    start = np.where(rng.random(count) < JOINING, rng.integers(0, WEEKS, count), -1).astype(np.int32)
    # Stays are memoryless: customers from before the data begins stay as long, from its first day, as newcomers do.
    end = (np.maximum(start, 0) + 3 + rng.exponential(STAY, count)).astype(np.int32)
    joins = 7 * start + rng.integers(0, 7, count)
    returns = 7 * np.minimum(end, WEEKS) * rng.random(count)
    sure = np.clip(np.where(start >= 0, joins, returns) - MISSING, 0, DAYS - 1).astype(np.int32)
    rate = (rng.gamma(RATE_SHAPE, 1 / RATE_SHAPE, count) * np.exp(rng.normal(0, RATES, count))).astype(np.float32)
    loyalty = rng.gamma(1.0, 1.0, count) * np.maximum(rate, 0.05) ** -NOVELTY
    favourites, attention = _favourites(seed, age, woman, parent)
    # Neighbours see each other's clothes: about half of a customer's taste comes from their postal code.
    street = rng.normal(0, 0.7, (codes + 2, STYLES)).astype(np.float32)
    street[0] = 0
    return Customers(
        age=age,
        woman=woman,
        postcode=postcode,
        start=start,
        end=end,
        sure=np.where(rng.random(count) < 0.007, -1, sure).astype(np.int32),
        rate=rate,
        basket=(BASKET * np.exp(rng.normal(-(BASKETS**2) / 2, BASKETS, count))).astype(np.float32),
        online=rng.beta(0.95, 0.4, count).astype(np.float32),
        loyalty=loyalty.astype(np.float32),
        level=rng.normal(-0.05, 0.35, count).astype(np.float32),
        bargains=rng.gamma(2.0, 0.5, count).astype(np.float32),
        style=street[postcode] + rng.normal(0, 0.75, (count, STYLES)).astype(np.float32),
        colour=rng.normal(0, 0.6, (count, len(COLOUR_FAMILIES))).astype(np.float32),
        favourites=favourites,
        attention=attention,
    )


def _favourites(seed: int, age: Floats, woman: Floats, parent: np.ndarray) -> tuple[Ints, Floats]:
    """Sample favourite departments by their size and the age and sex of their buyers; children's suit parents."""
    mean = np.array([s.age for s in SECTIONS], dtype=np.float32)[DEPARTMENT_SECTION]
    spread = np.array([s.spread for s in SECTIONS], dtype=np.float32)[DEPARTMENT_SECTION]
    gender = np.array([s.gender for s in SECTIONS])[DEPARTMENT_SECTION]
    share = np.log(DEPARTMENT_SHARE).astype(np.float32)
    found = np.empty((len(age), FAVOURITES), dtype=np.int32)
    for low in range(0, len(age), CHUNK):
        part = slice(low, low + CHUNK)
        rng = generator(seed, Stream.CUSTOMERS, 1, low)
        score = share - 0.5 * ((age[part, None] - mean) / (BLUR * spread)) ** 2 - np.log(spread)
        suits = np.where(
            gender == 0, parent[part, None], np.where(gender == 1, woman[part, None], 1 - woman[part, None])
        )
        score += np.where(suits, 0, OTHER_SEX) + np.where((gender == 0) & suits.astype(bool), 0.5, 0)
        score += rng.gumbel(0, 1, score.shape)
        found[part] = np.argpartition(-score, FAVOURITES, axis=1)[:, :FAVOURITES]
    attention = generator(seed, Stream.CUSTOMERS, 2).gamma(1.3, 1, (len(age), FAVOURITES)).astype(np.float32) + 0.02
    return found, attention / attention.sum(axis=1, keepdims=True)
