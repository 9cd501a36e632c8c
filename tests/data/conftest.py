"""Small valid worlds for the tests of the data folder."""

from collections.abc import Callable
from pathlib import Path

import pytest
from small_world import ARTICLE_RANGE, CUSTOMER_RANGE, World, articles, customers, transactions


@pytest.fixture
def make_world(tmp_path: Path) -> Callable[[str], World]:
    def make(name: str) -> World:
        world = World(tmp_path / name / "raw", tmp_path / name / "data")
        world.raw.mkdir(parents=True)
        world.write("articles", articles(ARTICLE_RANGE))
        world.write("customers", customers(CUSTOMER_RANGE))
        world.write("transactions", transactions(40, ARTICLE_RANGE, CUSTOMER_RANGE))
        return world

    return make


@pytest.fixture
def world(make_world: Callable[[str], World]) -> World:
    return make_world("world")
