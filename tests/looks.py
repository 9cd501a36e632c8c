"""Customers who buy by colour, and articles whose pictures show it: what a part that sees pictures should find."""

import random
from pathlib import Path

import polars as pl

from hmgpu.data.store import History
from hmgpu.testing import make_history
from hmgpu.testing.pictures import draw_pictures

COLOURS = ((220, 40, 30), (30, 60, 220), (40, 190, 60), (235, 225, 60))
ARTICLES, NEW, CUSTOMERS = 48, 24, 60
PAIR = {"customer": pl.Int32, "article": pl.Int32}


def draw(folder: Path, shuffled: bool = False) -> Path:
    """Draw the pictures of all articles, in shades of their colours or of each other's; returns `folder`."""
    noise = random.Random(5)
    order = list(range(ARTICLES + NEW))
    if shuffled:
        noise.shuffle(order)
    shades = [
        tuple(min(255, max(0, part + noise.randint(-25, 25))) for part in COLOURS[like % len(COLOURS)])
        for like in order
    ]
    return draw_pictures(folder, {f"{article:010}": shade for article, shade in enumerate(shades)})


def by_colour(pictures: Path) -> tuple[History, History, pl.DataFrame]:
    """A history to train on, one of a week later with new articles, and (customer, article): who likes which of these.

    Every customer buys articles of one colour; article i is of colour i modulo 4.
    """
    noise = random.Random(2)
    liked = [[a for a in range(ARTICLES) if a % 4 == customer % 4] for customer in range(CUSTOMERS)]
    past = [(ago, c, noise.choice(liked[c])) for ago in range(8, 60) for c in range(CUSTOMERS) if noise.random() < 0.3]
    new = range(ARTICLES, ARTICLES + NEW)
    later = [(noise.randint(1, 7), noise.randrange(CUSTOMERS), article) for article in new for _ in range(2)]
    known = {article: {"product_type": 0} for article in range(ARTICLES + NEW)}
    labels = [(customer, article) for customer in range(CUSTOMERS) for article in new if article % 4 == customer % 4]
    whole = make_history([*past, *later], articles=known, pictures=pictures)
    return whole.before(whole.cutoff - 7), whole, pl.DataFrame(labels, schema=PAIR, orient="row")


def few_sold(pictures: Path) -> History:
    """Ten articles, half of which have pictures, that sell to nine customers, and one that sold less often."""
    bought = [(day, (day * 2 + number) % 9, (day * 3 + number * 4) % 10) for day in range(1, 60) for number in range(2)]
    rare = [(day, 1, 10) for day in (9, 16, 23)]
    known = {article: {"product_type": 0, "department": article % 2} for article in range(11)}
    return make_history([*bought, *rare], articles=known, pictures=pictures)
