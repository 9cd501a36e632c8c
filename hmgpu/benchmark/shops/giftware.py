"""A giftware shop whose customers are shops themselves: large baskets, and the same again for a year.

Made to the measure of a real one: 5,800 customers in two years, baskets of 27 articles, and half of what is bought in a
week the customer had bought within the year before.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from hmgpu.data.synthetic.arrays import Bools, Doubles, Ints, Longs
from hmgpu.data.synthetic.span import WEEKS

CUSTOMERS, ARTICLES, THEMES = 5_800, 4_500, 40
STAPLES, LIFE = 0.35, 45.0
"""Share of articles that never leave the shop, and the mean weeks on sale of the others."""
DRIFT, KEPT = 0.2, 0.92
"""Standard deviation of what a week adds to the log of an article's demand, and the share of it left a week later."""
STAY, ORDERS = 60.0, 0.15
"""Mean weeks from a customer's first order to the last possible one, and mean orders a week until then."""
BASKET, LARGEST = 22.0, 300
"""Median lines of an order, and the most."""
AGAIN, RANGE = 0.85, 25.0
"""Largest share of lines that are bought again, and the articles of a customer's range at which it is half of that."""
SHELF, FORGOTTEN = 28.0, 240.0
"""Days in which half of what was bought is sold on, and after which it is mostly forgotten."""


@dataclass(frozen=True)
class _Shop:
    """What is on sale, one entry an article."""

    theme: Longs
    launch: Longs
    life: Doubles
    appeal: Doubles
    repeat: Doubles
    """How readily it is ordered again."""
    winter: Bools
    """Whether it sells before Christmas."""

    @staticmethod
    def sampled(rng: np.random.Generator) -> "_Shop":
        return _Shop(
            theme=np.sort(rng.integers(0, THEMES, ARTICLES)),
            launch=np.where(rng.random(ARTICLES) < 0.5, -30, rng.integers(0, WEEKS, ARTICLES)),
            life=np.where(rng.random(ARTICLES) < STAPLES, 10 * WEEKS, 8 + rng.exponential(LIFE, ARTICLES)),
            appeal=rng.normal(0, 0.9, ARTICLES),
            repeat=np.exp(rng.normal(0, 0.6, ARTICLES)),
            winter=rng.random(ARTICLES) < 0.15,
        )

    def wanted(self, week: int, trend: Doubles) -> Doubles:
        """Return the demand for each article in a week, 0 for what is not on sale."""
        age = week - self.launch
        year = np.cos(2 * np.pi * (week - 8) / 52)  # the data begin in September, so this is mid-November
        season = np.where(self.winter, 2.5 * year - 1.5, -0.2 * year)
        risen = np.clip((age + 1) / 4, 0, 1)
        wanted: Doubles = np.where((age >= 0) & (age < self.life), risen * np.exp(self.appeal + season + trend), 0)
        return wanted


@dataclass
class _Range:
    """What a customer has ordered so far."""

    article: Ints
    last: Ints
    times: Ints

    def add(self, articles: Longs, day: int) -> None:
        known = np.isin(self.article, articles)
        self.last[known], self.times[known] = day, self.times[known] + 1
        new = np.setdiff1d(articles, self.article).astype(np.int32)
        self.article = np.concatenate([self.article, new])
        self.last = np.concatenate([self.last, np.full(len(new), day, np.int32)])
        self.times = np.concatenate([self.times, np.ones(len(new), np.int32)])


def giftware(seed: int, customers: int = CUSTOMERS) -> pl.DataFrame:
    """Return (day from 0, customer, article): every line of every order, in two years; the same for the same seed."""
    rng = np.random.default_rng(seed)
    shop = _Shop.sampled(rng)
    start = np.where(rng.random(customers) < 0.35, 0, rng.integers(0, WEEKS, customers))
    end = start + 1 + rng.exponential(STAY, customers)
    rate = ORDERS * np.exp(rng.normal(-0.5, 1.0, customers))
    basket = BASKET * np.exp(rng.normal(0, 0.7, customers))
    taste = np.cumsum(rng.dirichlet(np.full(THEMES, 0.12), customers), axis=1)
    loyalty = rng.beta(3, 1, customers)
    ranges = [_Range(*(np.zeros(0, np.int32) for _ in range(3))) for _ in range(customers)]
    trend = rng.normal(0, DRIFT / (1 - KEPT**2) ** 0.5, ARTICLES)
    bounds = np.searchsorted(shop.theme, np.arange(THEMES + 1))
    rows: list[tuple[int, int, Longs]] = []
    for week in range(WEEKS):
        trend = KEPT * trend + rng.normal(0, DRIFT, ARTICLES)
        wanted = shop.wanted(week, trend)
        running = np.concatenate([[0.0], np.cumsum(wanted)])
        busy = 1 + 0.4 * np.cos(2 * np.pi * (week - 8) / 52)
        comes = (rng.random(customers) < 1 - np.exp(-rate * busy)) & (start <= week) & (week < end)
        who = np.flatnonzero(comes | (start == week))
        days = 7 * week + rng.integers(0, 7, len(who))
        for customer, day in zip(who.tolist(), days.tolist(), strict=True):
            own = ranges[customer]
            lines = min(LARGEST, 1 + rng.poisson(rng.gamma(1.6, basket[customer] / 1.6)))
            share = AGAIN * loyalty[customer] * len(own.article) / (len(own.article) + RANGE)
            again = _again(rng, shop, own, wanted, day, rng.binomial(lines, share))
            bought = np.union1d(again, _fresh(rng, taste[customer], bounds, running, lines - len(again)))
            own.add(bought, day)
            rows.append((day, customer, bought))
    each = [len(articles) for _, _, articles in rows]
    return pl.DataFrame(
        {
            "day": np.repeat([day for day, _, _ in rows], each).astype(np.int32),
            "customer": np.repeat([customer for _, customer, _ in rows], each).astype(np.int32),
            "article": np.concatenate([articles for _, _, articles in rows]).astype(np.int32),
        }
    ).sort("day", "customer", "article")


def _again(rng: np.random.Generator, shop: _Shop, own: _Range, wanted: Doubles, day: int, lines: int) -> Longs:
    """Choose up to `lines` of a customer's range: what sold well there, is running out, and still sells here."""
    since = (day - own.last).astype(np.float64)
    due = since**2 / (since**2 + SHELF**2) * np.exp(-since / FORGOTTEN)
    weight = own.times**0.8 * shop.repeat[own.article] * np.sqrt(wanted[own.article]) * due
    possible = np.flatnonzero(weight > 0)
    order = np.argsort(-(np.log(weight[possible]) + rng.gumbel(0, 1, len(possible))), kind="stable")
    chosen: Longs = own.article[possible[order[:lines]]].astype(np.int64)
    return chosen


def _fresh(rng: np.random.Generator, taste: Doubles, bounds: Longs, running: Doubles, lines: int) -> Longs:
    """Choose `lines` articles by demand: two in three of the customer's themes, the others of the whole shop."""
    theme = np.minimum(np.searchsorted(taste, rng.random(lines)), THEMES - 1)
    anywhere = rng.random(lines) < 1 / 3
    low = np.where(anywhere, 0.0, running[bounds[theme]])
    high = np.where(anywhere, running[-1], running[bounds[theme + 1]])
    place = np.searchsorted(running, low + (high - low) * rng.random(lines), side="right") - 1
    chosen: Longs = np.minimum(place, ARTICLES - 1)
    return chosen
