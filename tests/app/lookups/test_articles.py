from random import Random

import polars as pl
import pytest

from hmgpu.app.lookups.articles import any_article, article_of, find_articles, neighbours
from hmgpu.app.lookups.opened import OpenRun


@pytest.fixture(scope="module")
def best(opened: OpenRun) -> tuple[int, str]:
    """The key and the id of the article that sold most."""
    sold = opened.history.transactions.group_by("article").agg(units=pl.len())
    key = sold.sort("units", "article", descending=[True, False]).collect()["article"][0]
    return key, opened.store.article_ids().filter(pl.col("article") == key).collect()["article_id"][0]


def test_articles_are_found_by_id_and_by_name(opened: OpenRun, best: tuple[int, str]) -> None:
    ((id_, name),) = find_articles(opened, best[1])
    assert id_ == best[1]
    assert (id_, name) in find_articles(opened, name.upper())
    assert find_articles(opened, "no such thing") == []
    assert article_of(opened, "no such thing") is None
    assert article_of(opened, any_article(opened, Random(1))) is not None


def test_an_article_sells_as_the_data_say(opened: OpenRun, best: tuple[int, str]) -> None:
    found = article_of(opened, best[1])
    assert found is not None
    sold = opened.history.transactions.filter(pl.col("article") == best[0]).collect()
    assert found.facts["units sold"] == f"{sold.height:,}"
    assert 0 < sum(found.weekly.series["units"]) <= sold.height  # weeks that the data cover in part are left out
    assert sum(n for _, n, _ in found.ages.rows) == sold["customer"].n_unique()
    assert sum(part for _, part, _ in found.channels.rows) == pytest.approx(1.0)
    assert found.item.price


def test_what_is_bought_with_it_is_counted_by_basket(opened: OpenRun, best: tuple[int, str]) -> None:
    found = article_of(opened, best[1])
    assert found is not None
    rows = opened.history.transactions.select("customer", "day", "article").unique().collect()
    baskets = rows.filter(pl.col("article") == best[0]).select("customer", "day")
    first = found.together[0]
    n = rows.filter(pl.col("article") == first.article).join(baskets, on=["customer", "day"], how="semi").height
    assert first.note == f"in {n} of {baskets.height:,} baskets"


def test_without_vectors_there_are_no_neighbours(opened: OpenRun, best: tuple[int, str]) -> None:
    assert neighbours(opened, best[1]) == {}
