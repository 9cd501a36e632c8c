"""The articles: what each one is, when it is sold, who it suits and what it goes with."""

from dataclasses import dataclass

import numpy as np

from hmgpu.data.synthetic.arrays import Floats, Ints, Longs, Stream, generator, pick
from hmgpu.data.synthetic.span import FIRST_DATE, MISSING, WEEKS
from hmgpu.data.synthetic.vocabulary import (
    APPEARANCE_SHARES,
    COLOUR_FAMILIES,
    COLOUR_SHARES,
    COLOURS,
    GARMENTS,
    INDEXES,
    SECTIONS,
)

STYLES = 6
# Marginals of docs/synthetic.md decide these: the popularity curve of a day and of a week;
APPEAL_OF_PRODUCTS, APPEAL_OF_COLOURS = 1.22, 1.08
"""Standard deviations of the log of popularity, between products and between the colours of a product."""
# … rows by the weeks since their articles were first sold, and articles first sold a week.
FASHION_WEEKS, CORE_WEEKS = 20, 40
"""Median weeks on sale of the two kinds of article that come and go."""
EVERGREENS, CORE = 0.07, 0.35
"""Shares of products that outlast the data (for a group that is bought again like the average), and of core ones."""
COMPANIONS = 3

# (letter of GARMENTS, number of SECTIONS) of every department
DEPARTMENTS = tuple((letter, s) for s, section in enumerate(SECTIONS) for letter in section.garments)
GROUPS = tuple(GARMENTS.values())
DEPARTMENT_GROUP = np.array([tuple(GARMENTS).index(letter) for letter, _ in DEPARTMENTS], dtype=np.int32)
DEPARTMENT_SECTION = np.array([section for _, section in DEPARTMENTS], dtype=np.int32)
DEPARTMENT_SHARE = np.array([SECTIONS[s].share / len(SECTIONS[s].garments) ** 0.5 for _, s in DEPARTMENTS])


@dataclass(frozen=True)
class SyntheticCatalogue:
    """One entry an article, in the order of article ids; the articles of a product are neighbours."""

    product: Ints
    """Number of its product."""
    first_of_product: Ints
    """Index of the first colour of its product."""
    colours_of_product: Ints
    """Number of colours of its product."""
    product_code: Ints
    """Seven-digit code; later products have higher ones."""
    variant: Ints
    """Three-digit colour variant."""
    department: Ints
    """Index into DEPARTMENTS."""
    group: Ints
    """Index into GROUPS."""
    kind: Ints
    """Index into its group's product types."""
    colour: Ints
    """Index into COLOURS."""
    family: Ints
    """Index into COLOUR_FAMILIES."""
    appearance: Ints
    """Index into APPEARANCES."""
    launch: Ints
    """First week on sale; week 0 is the first of the data, so earlier launches are negative."""
    life: Ints
    """Weeks on sale; evergreens outlast the data."""
    price: Ints
    """Full price in units of 1/59000."""
    level: Floats
    """Log of its full price relative to the usual price of its product type."""
    appeal: Floats
    """Log of its popularity at its peak."""
    style: Floats
    """(articles, STYLES): latent style, similar for the colours of a product."""
    age: Floats
    """Age in years of the customers it suits best."""
    online: Floats
    """Positive if it sells better online, negative if it sells better in stores."""
    repeat: Floats
    """How readily it is bought again, about 1 on average."""
    companions: Ints
    """(articles, COMPANIONS): articles it is worn with; a companion's own companions may be others."""

    def __len__(self) -> int:
        return len(self.product)


def day_of_year(week: int | Ints) -> int | Ints:
    """Return the day of the year on which a week begins; it goes on counting in the years after the first."""
    return FIRST_DATE.timetuple().tm_yday - MISSING + 7 * week


def season(group: Ints, week: Ints) -> Floats:
    """Log demand for the garment group in a week (0 is the first of the data, mid-September), the same every year."""
    peak = np.array([g.peak for g in GROUPS])[group]
    swing = np.array([g.swing for g in GROUPS])[group]
    demand: Floats = (swing * np.cos(2 * np.pi * (day_of_year(week) - peak) / 365.25)).astype(np.float32)
    return demand


def catalogue(articles: int, seed: int) -> SyntheticCatalogue:
    """Sample a catalogue with exactly so many articles."""
    rng = generator(seed, Stream.CATALOGUE)
    colours = 1 + rng.negative_binomial(0.7, 0.7 / (0.7 + 1.235), size=articles)
    colours = np.minimum(colours, 30)[: int(np.searchsorted(np.cumsum(colours.clip(max=30)), articles)) + 1]
    colours[-1] -= colours.sum() - articles
    products = len(colours)

    department = rng.choice(len(DEPARTMENTS), products, p=DEPARTMENT_SHARE / DEPARTMENT_SHARE.sum()).astype(np.int32)
    group = DEPARTMENT_GROUP[department]
    launch, life = _lives(rng, group)
    by_launch = np.argsort(launch, kind="stable")
    department, group, launch, life = department[by_launch], group[by_launch], launch[by_launch], life[by_launch]

    kind = pick(rng, _kinds_sold()[department]).astype(np.int32)
    section_price = np.array([s.price for s in SECTIONS])[DEPARTMENT_SECTION[department]]
    usual = _usual_price(group, kind)
    price = _price_point(usual * section_price * np.exp(rng.normal(0, 0.3, products)))
    age = np.array([s.age for s in SECTIONS])[DEPARTMENT_SECTION[department]] + rng.normal(0, 4, products)

    def spread(values: np.ndarray) -> np.ndarray:
        """Repeat a product's value for each of its colours."""
        return np.repeat(values, colours, axis=0)

    product = np.repeat(np.arange(products, dtype=np.int32), colours)
    first = (np.cumsum(colours) - colours).astype(np.int32)
    variant = (np.arange(articles) - spread(first) + 1).astype(np.int32)
    # A product's main colours come first and sell best; some colours are launched weeks after the first.
    colour = rng.choice(len(COLOURS), articles, p=np.array(COLOUR_SHARES) / sum(COLOUR_SHARES)).astype(np.int32)
    late = (rng.random(articles) < 0.3) & (variant > 1)
    style = rng.normal(0, 1, (products, STYLES))
    appeal = spread(rng.normal(0, APPEAL_OF_PRODUCTS, products)) + rng.normal(0, APPEAL_OF_COLOURS, articles)
    appeal -= 0.12 * np.minimum(variant, 8)
    sampled = SyntheticCatalogue(
        product=product,
        first_of_product=spread(first),
        colours_of_product=spread(colours.astype(np.int32)),
        product_code=spread(_codes(rng, products)),
        variant=variant,
        department=spread(department),
        group=spread(group),
        kind=spread(kind),
        colour=colour,
        family=np.array([COLOUR_FAMILIES.index(f) for _, _, f in COLOURS], dtype=np.int32)[colour],
        appearance=rng.choice(len(APPEARANCE_SHARES), articles, p=APPEARANCE_SHARES).astype(np.int32),
        launch=spread(launch) + np.where(late, rng.integers(1, 6, articles), 0).astype(np.int32),
        life=spread(life),
        price=spread(price),
        level=spread(np.log(price / usual).astype(np.float32)),
        appeal=appeal.astype(np.float32),
        style=(spread(style) + rng.normal(0, 0.3, (articles, STYLES))).astype(np.float32),
        age=spread(age.astype(np.float32)),
        online=spread(rng.normal(0, 0.7, products).astype(np.float32)),
        repeat=np.array([g.repeat for g in GROUPS], dtype=np.float32)[spread(group)]
        * spread(rng.gamma(1.3, 1 / 1.3, products).astype(np.float32)),
        companions=np.zeros((articles, COMPANIONS), dtype=np.int32),
    )
    _choose_companions(rng, sampled)
    return sampled


def _lives(rng: np.random.Generator, group: Ints) -> tuple[Ints, Ints]:
    """Sample launch week and weeks on sale: fashion, core (half a year) and evergreens, likelier among what repeats."""
    n = len(group)
    repeat = np.array([g.repeat for g in GROUPS])[group]
    evergreen = rng.random(n) < EVERGREENS * repeat
    core = rng.random(n) < CORE
    life = np.where(
        core, np.exp(rng.normal(np.log(CORE_WEEKS), 0.4, n)), np.exp(rng.normal(np.log(FASHION_WEEKS), 0.45, n))
    )
    # Some core articles of seasonal groups stay on sale for a second season.
    returning = core & (np.array([g.swing for g in GROUPS])[group] >= 0.6) & (rng.random(n) < 0.3)
    life = np.where(returning, life + 52, life)
    life = np.where(evergreen, 220, np.maximum(life, 3)).astype(np.int32)
    # The launch is one of five candidate weeks, weighted by the season a month later, when the article peaks.
    weeks = (-life[:, None] + rng.random((n, 5)) * (WEEKS + life[:, None])).astype(np.int32)
    in_season = np.exp(1.5 * season(group[:, None], weeks + 4))
    launch = weeks[np.arange(n), pick(rng, in_season.astype(np.float32))]
    return launch, life


def _kinds_sold() -> Floats:
    """Return (departments, most types a group): 1 where the department sells that type of its garment group."""
    sold = np.zeros((len(DEPARTMENTS), max(len(g.types) for g in GROUPS)), dtype=np.float32)
    for row, (letter, section) in enumerate(DEPARTMENTS):
        for column, kind in enumerate(GARMENTS[letter].types):
            sold[row, column] = not kind.hers or SECTIONS[section].gender == 1
    return sold


def _usual_price(group: Ints, kind: Ints) -> np.ndarray:
    table = np.zeros((len(GROUPS), max(len(g.types) for g in GROUPS)))
    for row, garment in enumerate(GROUPS):
        table[row, : len(garment.types)] = [t.price for t in garment.types]
    usual: np.ndarray = table[group, kind]
    return usual


def _price_point(price: np.ndarray) -> Ints:
    """Round to the nearest price that a shop would print: 299, 399, ... 999, 1299, 1499, ... 9999."""
    low = np.arange(299, 1000, 100)
    middle = np.array([1299, 1499, 1799, 1999, 2499])
    points = np.concatenate([low, middle, np.arange(2999, 10_000, 500)])
    between = np.sqrt(points[1:] * points[:-1])
    return points[np.searchsorted(between, price)].astype(np.int32)


def _codes(rng: np.random.Generator, products: int) -> Ints:
    """Sample rising seven-digit product codes with gaps."""
    codes: Longs = np.cumsum(1 + rng.integers(0, max(2, 1_600_000 // products), products))
    return (100_000 + codes).astype(np.int32)


def _choose_companions(rng: np.random.Generator, articles: SyntheticCatalogue) -> None:
    """Fill in companions of the same index group, launched about the same time, by style and appeal."""
    tried = 24
    index_group = np.array([INDEXES[s.shop][2] for s in SECTIONS])[DEPARTMENT_SECTION[articles.department]]
    for number in np.unique(index_group):
        members = np.flatnonzero(index_group == number)
        members = members[np.argsort(articles.launch[members], kind="stable")]
        reach = max(tried, len(members) // 16)
        near = np.arange(len(members))[:, None] + rng.integers(-reach, reach + 1, (len(members), tried))
        other = members[np.clip(near, 0, len(members) - 1)]
        own = members[:, None]
        score = np.einsum("nd,nkd->nk", articles.style[members], articles.style[other]) / 3 + articles.appeal[other]
        score = score + rng.gumbel(0, 1, score.shape)
        score[articles.group[own] == articles.group[other]] = -np.inf
        score[(articles.launch + articles.life)[other] <= articles.launch[own] + 2] = -np.inf
        best = np.argsort(-score, axis=1, kind="stable")[:, :COMPANIONS]
        articles.companions[members] = np.take_along_axis(other, best, axis=1)
