"""One thread that computes the lists of baskets: all that wait at once together, since a pass costs about the same."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from hmgpu.app.service.served import Served
from hmgpu.core.errors import BusyError
from hmgpu.serving.baskets import Basket, BasketAnswer, Baskets

T = TypeVar("T")
AT_ONCE, WAITING = 32, 128  # baskets in a pass, and that may wait for one


class BasketDesk:
    """Takes baskets one by one and answers them in passes."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Served | None, Any, Future[Any]]] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="hmgpu-baskets", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def ask(self, served: Served, basket: Basket) -> "Future[BasketAnswer]":
        """Return the future list of a basket that `served` has checked. Raises BusyError where too many wait."""
        return self._queue(served, basket)

    def do(self, work: Callable[[], T]) -> "Future[T]":
        """Return the future result of `work`, which is done by itself. Raises BusyError where too much waits."""
        return self._queue(None, work)

    def _queue(self, served: Served | None, what: Any) -> "Future[Any]":
        future = Future[Any]()
        with self._changed:
            if len(self._waiting) >= WAITING:
                raise BusyError(f"{WAITING} requests are waiting already: ask again in a second.")
            self._waiting.append((served, what, future))
            self._changed.notify()
        return future

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if self._ended and not self._waiting:
                    return
                if self._waiting[0][0] is None:
                    _, work, future = self._waiting.popleft()
                    baskets = None
                else:
                    baskets, chosen = self._next()
            if baskets is None:
                _settle(future, work)
            else:
                _answer(baskets, chosen)

    def _next(self) -> "tuple[Baskets | None, list[tuple[Basket, Future[BasketAnswer]]]]":
        """Take the first basket and those behind it that fit into its pass: of the same run, each customer once."""
        served, customers = self._waiting[0][0], set[str | None]()
        assert served is not None
        chosen: list[tuple[Basket, Future[BasketAnswer]]] = []
        while self._waiting and len(chosen) < AT_ONCE:
            other, basket, future = self._waiting[0]
            if other is not served or (basket.customer_id is not None and basket.customer_id in customers):
                break
            customers.add(basket.customer_id)
            chosen.append((basket, future))
            self._waiting.popleft()
        return served.baskets, chosen


def _settle(future: "Future[Any]", work: Callable[[], Any]) -> None:
    try:
        result = work()
    except Exception as error:
        with suppress(Exception):  # nobody waits for it any more
            future.set_exception(error)
        return
    with suppress(Exception):
        future.set_result(result)


def _answer(baskets: Baskets, chosen: "list[tuple[Basket, Future[BasketAnswer]]]") -> None:
    if len(chosen) == 1:
        _settle(chosen[0][1], lambda: baskets.recommend([chosen[0][0]])[0])
        return
    try:
        answers = baskets.recommend([basket for basket, _ in chosen])
    except Exception:
        for each in chosen:  # so that one of them spoils no other
            _answer(baskets, [each])
        return
    for (_, future), answer in zip(chosen, answers, strict=True):
        with suppress(Exception):
            future.set_result(answer)
