"""Histories at the edges of the contract: next to nothing, all the same, free and the dearest, nobody's age."""

import functools
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hmgpu.data.store import History
from hmgpu.data.tables import ARTICLES, CUSTOMERS
from hmgpu.testing.histories import Purchase, make_history
from hmgpu.testing.pictures import colour_of, draw_pictures

DEAREST = 2**31 - 1
"""The highest price, in price units."""
ARTICLES_SOLD, BUYERS, DAYS = 24, 12, 800


@functools.cache
def worlds() -> Mapping[str, History]:
    """Every such history by its name; what a part makes of it must be finite or null."""
    many = [
        (1 + number * 37 % DAYS, number * 7 % BUYERS, number * number % ARTICLES_SOLD) for number in range(40 * BUYERS)
    ]
    busy = [(1 + number % 21, 0, 3) for number in range(400)]  # one customer, one article, many rows
    prices = [(0, 1, DEAREST - number, DEAREST)[number % 4] for number in range(len(many))]
    return {
        "free and dear": _world([*many, *busy], [*prices, *(DEAREST - 230 * (row % 2) for row in range(400))]),
        "one purchase": _world([(1, 0, 0)], [0]),
        "all the same": _world([(3, 0, 0)] * 30, [DEAREST] * 30),
        "long ago": _world([(700 + ago, customer, 0) for ago in range(20) for customer in range(3)], [5] * 60),
        "free and unknown": _world(many, [0] * len(many), known=False),
    }


def _world(bought: list[Purchase], prices: list[int], known: bool = True) -> History:
    """A history of purchases; where nothing is `known`, every attribute of its articles and customers is missing."""
    keys = {article for _, _, article in bought}
    vectors = {key: (0.6, 0.8) if key % 2 else (1.0, 0.0) for key in keys}
    return make_history(
        bought,
        articles={key: _article(key) for key in keys} if known else {},
        # One more than those who bought, of whom nothing but the age is known.
        customers={key: _customer(key) for key in range(BUYERS + 1)} if known else {BUYERS: {}},
        prices=prices,
        channels=[number % 2 for number in range(len(bought))],
        vectors={"pictures": vectors, "text": vectors},
        pictures=_pictures(),
    )


@functools.cache
def _pictures() -> Path:
    articles = range(0, ARTICLES_SOLD, 2)
    return draw_pictures(Path(_folder.name), {f"{key:010}": colour_of(key) for key in articles})


_folder = tempfile.TemporaryDirectory(prefix="hmgpu-testing-")


def _article(key: int) -> dict[str, Any]:
    values = {"code": key % 3, "text": ("Ladieswear", "Menswear", "Sport")[key % 3]}
    return {column.name: values[column.kind] for column in ARTICLES if column.kind in values}


def _customer(key: int) -> dict[str, Any]:
    values = {"code": key % 2, "flag": key % 2, "age": (0, 35, 120, None)[key % 4]}
    return {column.name: values[column.kind] for column in CUSTOMERS if column.kind in values}
