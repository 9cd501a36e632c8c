"""Small shops with valid raw files for the tests of the data folder."""

from collections.abc import Callable
from pathlib import Path

import pytest
from small_world import ARTICLE_RANGE, CUSTOMER_RANGE, SmallShop, articles, customers, transactions


@pytest.fixture
def make_shop(tmp_path: Path) -> Callable[[str], SmallShop]:
    """Write the raw files of a small shop into a folder of the given name."""

    def make(name: str) -> SmallShop:
        shop = SmallShop(tmp_path / name / "raw", tmp_path / name / "data")
        shop.raw.mkdir(parents=True)
        shop.write("articles", articles(ARTICLE_RANGE))
        shop.write("customers", customers(CUSTOMER_RANGE))
        shop.write("transactions", transactions(40, ARTICLE_RANGE, CUSTOMER_RANGE))
        return shop

    return make


@pytest.fixture
def shop(make_shop: Callable[[str], SmallShop]) -> SmallShop:
    """A small shop with raw files that are not ingested yet."""
    return make_shop("shop")
