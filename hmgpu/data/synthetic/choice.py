"""How a customer chooses: an article seen in the shop, one bought before, or one that goes with another."""

import numpy as np

from hmgpu.data.synthetic.arrays import Bools, Doubles, Floats, Longs, pick
from hmgpu.data.synthetic.catalogue import COMPANIONS, SyntheticCatalogue
from hmgpu.data.synthetic.customers import Customers
from hmgpu.data.synthetic.demand import ShopWeek
from hmgpu.data.synthetic.recollection import Recollection

SEEN = 10
"""Articles that a customer looks at before choosing one."""
# Marginals of docs/synthetic.md decide these: the same department, times chance, by the days between two purchases;
FAVOURITE = 0.33
"""Share of choices in the customer's favourite departments; most look at the whole shop."""
ERRAND = 0.35
"""Largest share of choices in the department of a recent purchase."""
# … ages explain 4 % of what sections sell;
AGE_SPREAD = 30.0
"""Years between the ages of customer and article at which the article clearly suits others."""
OWNED = 4.0
"""Log weight that an article loses if the customer already owns it."""
# … later baskets with a repeat, by size;
ALSO, STRAY = 0.25, 0.1
"""Probability that a further line of such a visit repeats too; of any other visit, as a share of the visit's."""
# … what is bought before of a product, but not of an article.
COLOUR, COMPANY = 0.05, 0.08
"""Largest probabilities that a line is another colour of, or accompanies an earlier purchase."""
OUTFIT, SET = 0.22, 0.08
"""Probabilities that a further line of a visit is a companion, or another colour, of the visit's first article."""
COMPANION_SHARES = np.array([0.55, 0.3, 0.15])


def fresh(
    rng: np.random.Generator,
    people: Customers,
    articles: SyntheticCatalogue,
    shelf: ShopWeek,
    mind: Recollection,
    visit: Longs,
    who: Longs,
    online: Bools,
) -> Longs:
    """Look at SEEN articles of a department or of the whole shop, popular ones more likely, and choose one that suits.

    Articles that the customer owns are mostly passed over, so that only habit (see `remembered`) buys them again.
    visit, who, online: (n,), one entry a line. Returns articles (n,).
    """
    n = len(who)
    department, anywhere = _department(rng, people, articles, shelf, mind, visit, who)
    low = np.where(anywhere, 0.0, shelf.bounds[department])
    high = np.where(anywhere, shelf.cumulative[-1], shelf.bounds[department + 1])
    seen = shelf.sample(low[:, None], high[:, None], rng.random((n, SEEN)))
    likes = liking(people, articles, shelf, who, online, seen)
    owned = (seen[:, :, None] == mind.article[visit][:, None, :]).any(axis=2)
    likes = np.where(owned, likes - OWNED, likes)
    return seen[np.arange(n), pick(rng, np.exp(likes - likes.max(axis=1, keepdims=True)))]


def _department(
    rng: np.random.Generator,
    people: Customers,
    articles: SyntheticCatalogue,
    shelf: ShopWeek,
    mind: Recollection,
    visit: Longs,
    who: Longs,
) -> tuple[Longs, Bools]:
    """Choose where each line (n,) looks: a recent purchase's department, a favourite one, or anywhere in the shop."""
    strength = np.diff(shelf.bounds)
    look = people.attention[who] * (strength / max(strength.mean(), 1e-12))[people.favourites[who]] ** 0.7
    favourite = people.favourites[who, pick(rng, look.astype(np.float32))]
    recent = articles.department[mind.article[visit, pick(rng, mind.errand[visit])]]
    bound = mind.errand.sum(axis=1)[visit]
    uniform = rng.random(len(who))
    errand = uniform < ERRAND * bound / (1 + bound)
    department = np.where(errand, recent, favourite)
    return department, (~errand & (uniform < 1 - FAVOURITE)) | (strength[department] <= 0)


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
    articles: SyntheticCatalogue,
    shelf: ShopWeek,
    mind: Recollection,
    visit: Longs,
    again: Floats,
) -> Longs:
    """Choose articles because of past purchases: the same again, another colour or a companion; -1 for no choice.

    visit: (n,), one entry a line; again: (n,), the probability that the line is the same again. Returns articles (n,).
    """
    mindful = mind.thought.sum(axis=1)[visit]
    colour = COLOUR * mindful / (1 + mindful)
    company = COMPANY * mindful / (1 + mindful)
    same = mind.article[visit, pick(rng, mind.habit[visit])]
    base = mind.article[visit, pick(rng, mind.thought[visit])].clip(0)
    uniform = rng.random(len(visit))
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
