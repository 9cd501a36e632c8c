"""Lists in memory are the ones that the run wrote."""

import shutil

import pytest
from small_run import ARTICLES, BEST_SELLERS, CUSTOMERS, listed
from small_world import article_id, customer_id

from hmgpu.core.errors import RunError
from hmgpu.serving import held_lists
from hmgpu.serving.finished_run import FinishedRun
from hmgpu.serving.held_lists import HeldLists

NOBODY = "f" * 64


@pytest.fixture
def lists(make_run, monkeypatch) -> HeldLists:
    monkeypatch.setattr(held_lists, "ROW_GROUP", 7)  # read in several pieces
    return HeldLists.read(FinishedRun.open(make_run()))


def test_everybody_has_their_list(lists):
    assert lists.k == 12
    for customer in range(CUSTOMERS):
        assert lists.of(customer_id(customer), 12) == (listed(customer), True)
        assert lists.key(customer_id(customer)) == customer
    assert lists.of(customer_id(3), 2) == (listed(3)[:2], True)


def test_unknown_customers_get_the_best_sellers(lists):
    for unknown in (NOBODY, "", "0", "g"):
        assert lists.of(unknown, 12) == (BEST_SELLERS, False)
        assert lists.key(unknown) is None


def test_excluded_articles_make_room_for_the_next_and_then_for_best_sellers(lists):
    own, best = listed(0), BEST_SELLERS
    assert lists.of(customer_id(0), 3, {own[0], own[2]}) == ([own[1], own[3], own[4]], True)
    more, _ = lists.of(customer_id(0), 12, set(own[:11]))
    assert more == [own[11], *(article for article in best if article not in own)][:12]
    assert lists.of(customer_id(0), 12, {article_id(article) for article in range(ARTICLES)}) == ([], True)


def test_a_changed_file_is_refused(make_run):
    run = make_run()
    (copy := run.parent / "copy") and shutil.copytree(run, copy)
    (copy / "steps" / "submit" / "recommendations.parquet").write_bytes(b"other")
    with pytest.raises(RunError, match=r"recommendations\.parquet is not the file that the run wrote"):
        HeldLists.read(FinishedRun.open(copy))
