from random import Random

import polars as pl
import pytest

from hmgpu.app.lookups.customers import any_customer, customer_of, find_customers
from hmgpu.app.lookups.differences import differing_lists
from hmgpu.app.lookups.funnel import funnel
from hmgpu.app.lookups.opened import OpenRun
from hmgpu.core.parquet import read_table
from hmgpu.data.weeks import date_of
from hmgpu.pipeline.served_tables import RECOMMENDATIONS


@pytest.fixture(scope="module")
def with_a_hit(opened: OpenRun) -> str:
    found = any_customer(opened, "a hit", Random(1))
    assert found is not None
    return found


def test_a_search_finds_ids_by_their_beginning(opened: OpenRun) -> None:
    ids = read_table(opened.run.submitted.file(RECOMMENDATIONS))["customer_id"].sort()
    assert find_customers(opened, f" {ids[5]} ") == [ids[5]]
    assert find_customers(opened, ids[5][:1]) == [each for each in ids if each.startswith(ids[5][:1])][:20]
    assert find_customers(opened, "not an id") == []


def test_a_customer_is_shown_as_the_data_have_them(opened: OpenRun, with_a_hit: str) -> None:
    found = customer_of(opened, with_a_hit)
    assert found is not None
    rows = opened.history.transactions.filter(pl.col("customer") == found.customer).collect()
    assert found.units == rows.height
    last = rows["day"].max()
    latest = [each for each in found.bought if each.note.startswith(str(date_of(last)))]
    assert latest == [*found.bought[: len(latest)]]
    assert {each.article for each in latest} == set(rows.filter(pl.col("day") == last)["article"])
    served = read_table(opened.run.submitted.file(RECOMMENDATIONS)).filter(pl.col("customer_id") == with_a_hit)
    assert [each.article_id for each in found.recommended] == served["articles"][0].to_list()
    assert [each.rank for each in found.recommended] == [*range(1, 13)]
    assert "postal_code" not in found.profile


def test_hits_are_what_was_both_recommended_and_bought(opened: OpenRun, with_a_hit: str) -> None:
    found = customer_of(opened, with_a_hit)
    assert found is not None
    assert found.held_out is not None
    week = found.held_out
    sold = opened.store.sold_in(opened.held_out.week).filter(pl.col("customer") == found.customer).collect()
    assert {each.article for each in week.bought} == set(sold["article"])
    hits = {each.article for each in week.listed} & set(sold["article"])
    assert hits
    assert (
        {each.article for each in week.listed if each.hit} == {each.article for each in week.bought if each.hit} == hits
    )


def test_who_is_not_known_is_none(opened: OpenRun) -> None:
    assert customer_of(opened, "nobody") is None


def test_the_funnel_of_both_weeks_ends_in_the_lists(opened: OpenRun, with_a_hit: str) -> None:
    found = customer_of(opened, with_a_hit)
    assert found is not None
    assert found.held_out is not None
    for when, listed in (("held-out week", found.held_out.listed), ("next week", found.recommended)):
        funnels = funnel(opened, found.customer, when, [each.article for each in listed])
        own = [each for each in listed if funnels.of(each.article).place]  # the others fill the list up
        assert [funnels.of(each.article).place for each in own] == [*range(1, len(own) + 1)]
        assert all(funnels.of(each.article).ranks for each in own)
        assert funnels.counts.keys() == {"repurchase", "popular_age", "popular"}
        assert funnels.counts["popular"] == 20


def test_the_next_weeks_list_has_reasons_that_add_up(opened: OpenRun, with_a_hit: str) -> None:
    found = customer_of(opened, with_a_hit)
    assert found is not None
    listed = [each.article for each in found.recommended]
    reasons = [funnel(opened, found.customer, "next week", listed).of(article) for article in listed]
    assert all(each.reason.endswith(".") for each in reasons)
    scores = [sum(each.contributions["score"].values()) for each in reasons if each.contributions]
    assert scores == sorted(scores, reverse=True)


def test_the_lists_that_differ_most_come_first(opened: OpenRun, shop) -> None:
    other = OpenRun(shop / "2020-09-22-another0")
    found = differing_lists(opened, other, 3)
    assert [each.shared for each in found] == sorted(each.shared for each in found)
    assert found[0].shared < 12
    first, second = ({item.article for item in each} for each in found[0].lists)
    assert len(first & second) == found[0].shared
    assert differing_lists(opened, opened, 1)[0].shared == 12
