"""How a customer chooses: an article seen in the shop, one bought before, or one that goes with another."""

import numpy as np

from hmgpu.data.synthetic.arrays import Bools, Doubles, Floats, Longs, pick
from hmgpu.data.synthetic.catalogue import COMPANIONS, SyntheticCatalogue
from hmgpu.data.synthetic.customers import Customers
from hmgpu.data.synthetic.demand import ShopWeek
from hmgpu.data.synthetic.memory import Memory

SEEN = 10
"""Articles that a customer looks at before choosing one."""
BROWSING = 0.45
"""Share of choices among all departments instead of the customer's favourites."""
AGE_SPREAD = 13.0
"""Years between the ages of customer and article at which the article clearly suits others."""
OWNED = 4.0
"""Log weight that an article loses if the customer already owns it."""
AGAIN, COLOUR, COMPANY = 0.27, 0.03, 0.08
"""Largest probabilities that a line repeats, is another colour of, or accompanies an earlier purchase."""
OUTFIT, SET = 0.22, 0.08
"""Probabilities that a further line of a visit is a companion, or another colour, of the visit's first article."""
COMPANION_SHARES = np.array([0.55, 0.3, 0.15])


def fresh(
    rng: np.random.Generator,
    people: Customers,
    articles: SyntheticCatalogue,
    shelf: ShopWeek,
    memory: Memory,
    who: Longs,
    online: Bools,
) -> Longs:
    """Look at SEEN articles of one department, popular ones more likely, and choose one that suits.

    Articles that the customer owns are mostly passed over, so that only habit (see `remembered`) buys them again.
    who, online: (n,), one entry a line. Returns articles (n,).
    """
    n = len(who)
    strength = np.diff(shelf.bounds)
    look = people.attention[who] * (strength / max(strength.mean(), 1e-12))[people.favourites[who]] ** 0.7
    department = people.favourites[who, pick(rng, look.astype(np.float32))]
    browsing = (rng.random(n) < BROWSING) | (strength[department] <= 0)
    low = np.where(browsing, 0.0, shelf.bounds[department])
    high = np.where(browsing, shelf.cumulative[-1], shelf.bounds[department + 1])
    seen = shelf.sample(low[:, None], high[:, None], rng.random((n, SEEN)))
    likes = liking(people, articles, shelf, who, online, seen)
    owned = (seen[:, :, None] == memory.article[who][:, None, :]).any(axis=2)
    likes = np.where(owned, likes - OWNED, likes)
    return seen[np.arange(n), pick(rng, np.exp(likes - likes.max(axis=1, keepdims=True)))]


def liking(
    people: Customers, articles: SyntheticCatalogue, shelf: ShopWeek, who: Longs, online: Bools, seen: Longs
) -> Floats:
    """Log weight of each seen article for its customer, from style, colour, age, price, markdown and channel.

    who, online: (n,); seen: (n, k). Returns (n, k).
    """
    markdown = shelf.markdown[seen]
    # An article feels cheap or dear by its price relative to the usual price of its type, not by the price itself.
    level = articles.level[seen] + np.log1p(-markdown) - people.level[who, None]
    style = np.einsum("nd,nkd->nk", people.style[who], articles.style[seen])
    away = (people.age[who, None] - articles.age[seen]) / AGE_SPREAD
    channel = np.where(online, 0.7, -0.7)[:, None] * articles.online[seen]
    total: Floats = (
        0.35 * style
        + people.colour[who[:, None], articles.family[seen]]
        - 0.5 * away**2
        - 1.6 * level**2
        + 1.2 * people.bargains[who, None] * markdown
        + channel
    ).astype(np.float32)
    return total


def remembered(
    rng: np.random.Generator,
    people: Customers,
    articles: SyntheticCatalogue,
    shelf: ShopWeek,
    memory: Memory,
    who: Longs,
    day: int,
) -> Longs:
    """Choose articles because of past purchases: the same again, another colour or a companion; -1 for no choice.

    Articles are bought again that were bought recently or more than once, that people use up, and that still sell.
    who: (n,), one entry a line. Returns articles (n,).
    """
    past = memory.article[who]
    since = day - memory.day[who].astype(np.float32)
    known = past >= 0
    recent = np.exp(-since / 7) + 0.01 * np.exp(-since / 60)
    habit = np.where(known, recent * articles.repeat[past] * shelf.vigour[past], 0)
    thought = np.where(known, np.exp(-since / 14) + 0.1 * np.exp(-since / 90), 0)

    loyal = people.loyalty[who] * habit.sum(axis=1)
    mindful = thought.sum(axis=1)
    again = AGAIN * loyal / (1 + loyal)
    colour = COLOUR * mindful / (1 + mindful)
    company = COMPANY * mindful / (1 + mindful)

    n = len(who)
    rows = np.arange(n)
    same = past[rows, pick(rng, habit.astype(np.float32))]
    base = past[rows, pick(rng, thought.astype(np.float32))].clip(0)
    uniform = rng.random(n)
    chosen = np.where(
        uniform < again,
        same,
        np.where(uniform < again + colour, other_colour(rng, articles, base), companion(rng, articles, base)),
    )
    chosen = np.where((uniform < again + colour + company) & (mindful > 0), chosen, -1)
    return _still_sold(shelf, chosen)


def outfit(rng: np.random.Generator, articles: SyntheticCatalogue, shelf: ShopWeek, anchor: Longs) -> Longs:
    """Choose a companion or another colour of a visit's first article `anchor` (n,); -1 for no choice."""
    uniform = rng.random(len(anchor))
    chosen = np.where(uniform < OUTFIT, companion(rng, articles, anchor), other_colour(rng, articles, anchor))
    return _still_sold(shelf, np.where(uniform < OUTFIT + SET, chosen, -1))


def companion(rng: np.random.Generator, articles: SyntheticCatalogue, base: Longs) -> Longs:
    """Sample one of each article's companions, the first most often."""
    place = rng.choice(COMPANIONS, len(base), p=COMPANION_SHARES)
    return articles.companions[base, place].astype(np.int64)


def other_colour(rng: np.random.Generator, articles: SyntheticCatalogue, base: Longs) -> Longs:
    """Sample another colour of each article's product; -1 if it has only one."""
    colours = articles.colours_of_product[base].astype(np.int64)
    first = articles.first_of_product[base]
    step = 1 + (rng.random(len(base)) * np.maximum(colours - 1, 1)).astype(np.int64)
    chosen: Longs = np.where(colours > 1, first + (base - first + step) % colours, -1)
    return chosen


def _still_sold(shelf: ShopWeek, chosen: Longs) -> Longs:
    sold: Longs = np.where((chosen >= 0) & shelf.on_sale[chosen], chosen, -1)
    return sold


def coupon(rng: np.random.Generator, visits: int) -> Doubles:
    """Sample the share of the price that each visit pays: one visit in eight has a coupon of 10, 20 or 25 %."""
    return np.where(rng.random(visits) < 0.125, rng.choice([0.9, 0.8, 0.75], visits), 1.0)
