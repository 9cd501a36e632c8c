"""Small shops with valid raw files for the tests of the data folder."""

from collections.abc import Callable
from pathlib import Path

import pytest
from small_world import ARTICLE_RANGE, CUSTOMER_RANGE, SmallShop, articles, customers, transactions


@pytest.fixture(scope="session")
def write_shop() -> Callable[[Path], SmallShop]:
    """Write the raw files of a small shop into a folder."""

    def write(folder: Path) -> SmallShop:
        shop = SmallShop(folder / "raw", folder / "data")
        shop.raw.mkdir(parents=True)
        shop.write("articles", articles(ARTICLE_RANGE))
        shop.write("customers", customers(CUSTOMER_RANGE))
        shop.write("transactions", transactions(40, ARTICLE_RANGE, CUSTOMER_RANGE))
        return shop

    return write


@pytest.fixture
def make_shop(write_shop: Callable[[Path], SmallShop], tmp_path: Path) -> Callable[[str], SmallShop]:
    """Write the raw files of a small shop into a folder of the given name."""
    return lambda name: write_shop(tmp_path / name)


@pytest.fixture
def shop(make_shop: Callable[[str], SmallShop]) -> SmallShop:
    """A small shop with raw files that are not ingested yet."""
    return make_shop("shop")
