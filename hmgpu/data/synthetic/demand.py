"""The shop week by week: which articles are on sale, at what price, and how much they are wanted."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hmgpu.data.synthetic.arrays import Bools, Doubles, Floats, Ints, Longs, Stream, generator
from hmgpu.data.synthetic.catalogue import DEPARTMENTS, SyntheticCatalogue, day_of_year, season
from hmgpu.data.synthetic.span import WEEKS

EVERGREEN = 200
"""Weeks on sale from which an article is never cleared."""
CLEARANCE = ((0.7, 0.2), (0.8, 0.3), (0.89, 0.4), (0.95, 0.6))
"""Steps of clearance: (share of its life that is over, markdown from then on)."""
# Marginals of docs/synthetic.md decide these: what a week's best sellers still sell one to thirteen weeks later;
DRIFT, KEPT = 0.65, 0.6
"""Standard deviation of what a week adds to the log of an article's demand, and the share of it left a week later."""
# … the popularity curve of days in May, July, October and February;
WINTER, WINTER_PEAK = 0.1, 325
"""How much further apart than usual articles are in demand on the day of the year on which they are furthest apart."""
# … rows by the weeks since their articles were first sold;
RISE = 6
"""Weeks that it takes an article to reach all shops."""
FADE = 1.6
"""Log of the demand that an article loses over its life."""
# … the share of the best article and the best twelve of a day.
LARGEST_SHARE = 0.004
"""Upper bound of an article's weight, since stock runs out, as a share of the sum of all weights without it.

Its share of sales can be higher, because the other weights are limited too and taste comes on top.
"""


@dataclass(frozen=True)
class ShopWeek:
    """The shop in one week; all arrays but the last three have one entry an article."""

    on_sale: Bools
    price: Ints
    """Price asked, in units of 1/59000."""
    markdown: Floats
    """Share taken off the full price."""
    vigour: Floats
    """Demand relative to the article's own peak: life, season, trend and markdown, without its appeal."""
    order: Longs
    """The articles sorted by department."""
    cumulative: Doubles
    """(articles + 1,): running sum of demand along `order`, from 0."""
    bounds: Doubles
    """(departments + 1,): values of `cumulative` at which the departments start."""

    def sample(self, low: Doubles, high: Doubles, uniform: Doubles) -> Longs:
        """Sample articles in proportion to demand, between two values of `cumulative`; shapes broadcast."""
        at = low + (high - low) * uniform
        place = np.searchsorted(self.cumulative, at.ravel(), side="right") - 1
        chosen: Longs = self.order[np.minimum(place, len(self.order) - 1)].reshape(at.shape)
        return chosen


def shelves(articles: SyntheticCatalogue, seed: int) -> Iterator[ShopWeek]:
    """Yield the shop of every week in turn, from week 0."""
    trend = generator(seed, Stream.DEMAND, 0).normal(0, DRIFT / (1 - KEPT**2) ** 0.5, len(articles))
    order = np.argsort(articles.department, kind="stable")
    starts = np.searchsorted(articles.department[order], np.arange(len(DEPARTMENTS) + 1))
    for week in range(WEEKS):
        rng = generator(seed, Stream.DEMAND, 1 + week)
        # Fashions come and go: demand drifts slowly, and each week everybody suddenly wants a few articles.
        trend = KEPT * trend + rng.normal(0, DRIFT, len(articles))
        trend += np.where(rng.random(len(articles)) < 0.006, 1.5, 0)

        age = week - articles.launch
        on_sale = (age >= 0) & (age < articles.life)
        gone = age / articles.life
        markdown = _markdown(rng, articles, gone)
        vigour = np.exp(
            np.log(np.clip((age + 1) / RISE, 1e-3, 1))
            - FADE * np.clip(gone, 0, 1) ** 1.5
            + season(articles.group, np.full(len(articles), week, dtype=np.int32))
            + trend
            + 1.5 * markdown
        )
        apart = 1 + WINTER * np.cos(2 * np.pi * (day_of_year(week) - WINTER_PEAK) / 365.25)
        wanted = np.where(on_sale, vigour * np.exp(apart * articles.appeal.astype(np.float64)), 0)
        limit = LARGEST_SHARE * wanted.sum()
        sold = wanted * limit / (wanted + limit)
        cumulative = np.concatenate([[0.0], np.cumsum(sold[order])])
        yield ShopWeek(
            on_sale=on_sale,
            price=np.rint(articles.price * (1 - markdown)).astype(np.int32),
            markdown=markdown.astype(np.float32),
            vigour=np.where(on_sale, np.minimum(vigour, 3), 0).astype(np.float32),
            order=order,
            cumulative=cumulative,
            bounds=cumulative[starts],
        )


def _markdown(rng: np.random.Generator, articles: SyntheticCatalogue, gone: Doubles) -> Doubles:
    """Mark articles down: in steps towards the end of life; before that, one in forty is on offer for a week."""
    markdown = np.where(rng.random(len(articles)) < 0.025, 0.2, 0.0)
    for after, off in CLEARANCE:
        markdown = np.where((gone >= after) & (articles.life < EVERGREEN), off, markdown)
    return markdown
