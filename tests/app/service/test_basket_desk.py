"""Baskets that wait together are answered in one pass, and one that fails spoils no other."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from hmgpu.app.service import basket_desk
from hmgpu.app.service.basket_desk import BasketDesk
from hmgpu.core.errors import BusyError, DataError
from hmgpu.serving.baskets import Basket


class Counting:
    """Answers with the customers' names, as long as it may."""

    def __init__(self) -> None:
        self.passes: list[list[str | None]] = []
        self.may = threading.Event()

    def recommend(self, baskets):
        self.may.wait(10)
        names = [basket.customer_id for basket in baskets]
        self.passes.append(names)
        if "bad" in names:
            raise DataError("a bad one")
        return names


def served() -> Any:
    return SimpleNamespace(baskets=Counting())


@pytest.fixture
def desk():
    opened = BasketDesk()
    opened.start()
    yield opened
    opened.stop()


def ask(desk, run, *names):
    return [desk.ask(run, Basket([], name)) for name in names]


def test_all_that_wait_are_answered_together(desk):
    run = served()
    first = ask(desk, run, "first")  # taken at once
    while desk._waiting:
        pass
    others = ask(desk, run, "a", "b", None, None, "a", "c")
    run.baskets.may.set()
    assert [each.result(10) for each in first + others] == ["first", "a", "b", None, None, "a", "c"]
    assert run.baskets.passes == [["first"], ["a", "b", None, None], ["a", "c"]]  # a customer once in a pass


def test_two_runs_are_never_in_one_pass(desk):
    one, two = served(), served()
    asked = [*ask(desk, one, "a"), *ask(desk, two, "b"), *ask(desk, one, "c")]
    one.baskets.may.set(), two.baskets.may.set()
    assert [each.result(10) for each in asked] == ["a", "b", "c"]
    assert one.baskets.passes == [["a"], ["c"]]
    assert two.baskets.passes == [["b"]]


def test_one_that_fails_spoils_no_other(desk):
    run = served()
    first = ask(desk, run, "first")
    while desk._waiting:
        pass
    good, bad, other = ask(desk, run, "good", "bad", "other")
    run.baskets.may.set()
    assert [each.result(10) for each in (*first, good, other)] == ["first", "good", "other"]
    with pytest.raises(DataError, match="a bad one"):
        bad.result(10)


def test_too_many_are_sent_away(desk, monkeypatch):
    monkeypatch.setattr(basket_desk, "WAITING", 2)
    run = served()
    ask(desk, run, "first")
    while desk._waiting:
        pass
    ask(desk, run, "a", "b")
    with pytest.raises(BusyError, match="2 requests are waiting already"):
        ask(desk, run, "c")
    run.baskets.may.set()
