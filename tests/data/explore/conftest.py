"""A data set written by hand: three whole weeks from a Wednesday, four customers, five articles."""

import datetime
from pathlib import Path

import pytest
import small_world as raw_files
from small_world import SmallShop

from hmgpu.core.engine import Engine
from hmgpu.data.explore.whole import Whole
from hmgpu.data.ingest import ingest
from hmgpu.data.store import Store
from hmgpu.data.tables import ARTICLES

FIRST = datetime.date(2020, 9, 1)  # a Tuesday: its week is cut off
EVIL = "<script>alert(1)</script>"
# Units sold: (days after FIRST, customer, article, price units, channel)
SOLD = [
    (0, 1, 1, 100, "1"),
    (1, 1, 1, 100, "1"),
    (1, 1, 1, 100, "1"),
    (2, 2, 2, 200, "2"),
    (8, 1, 1, 300, "2"),
    (9, 3, 3, 1000, "2"),
    (10, 3, 3, 1000, "2"),
    (11, 3, 3, 1000, "2"),
    (11, 3, 3, 1000, "2"),
    (11, 3, 3, 1000, "2"),
    (11, 3, 3, 1000, "2"),
    (11, 3, 3, 1000, "2"),
    (15, 2, 4, 500, "1"),
    (21, 2, 2, 200, "2"),
]


def write(shop: SmallShop, sold: list[tuple[int, int, int, int, str]]) -> None:
    """Write the shop's raw files with these units sold."""
    shop.raw.mkdir(parents=True, exist_ok=True)
    articles = raw_files.articles(range(1, 6))
    articles[3][[column.name for column in ARTICLES].index("name")] = EVIL
    shop.write("articles", articles)
    shop.write("customers", raw_files.customers(range(1, 5)))
    rows = [
        [
            str(FIRST + datetime.timedelta(days=day)),
            raw_files.customer_id(c),
            raw_files.article_id(a),
            raw_files.price(units),
            channel,
        ]
        for day, c, a, units, channel in sold
    ]
    shop.write("transactions", [raw_files.transactions(0, range(1, 6), range(1, 5))[0], *rows])


@pytest.fixture
def whole(tmp_path: Path, engine: Engine) -> Whole:
    """The data set of `SOLD`."""
    shop = SmallShop(tmp_path / "raw", tmp_path / "data")
    write(shop, SOLD)
    ingest(shop.settings())
    return Whole(Store(shop.root), engine)
