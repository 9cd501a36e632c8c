"""One thread that computes the lists of baskets: all that wait at once together, since a pass costs about the same."""

import threading
from collections import deque
from concurrent.futures import Future
from contextlib import suppress

from hmgpu.app.service.served import Served
from hmgpu.core.errors import BusyError
from hmgpu.serving.baskets import Basket, BasketAnswer, Baskets

AT_ONCE, WAITING = 32, 128  # baskets in a pass, and that may wait for one


class BasketDesk:
    """Takes baskets one by one and answers them in passes."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Served, Basket, Future[BasketAnswer]]] = deque()
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
        future = Future[BasketAnswer]()
        with self._changed:
            if len(self._waiting) >= WAITING:
                raise BusyError(f"{WAITING} baskets are waiting already: ask again in a second.")
            self._waiting.append((served, basket, future))
            self._changed.notify()
        return future

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if self._ended and not self._waiting:
                    return
                served, chosen = self._next()
            assert served.baskets is not None
            _answer(served.baskets, chosen)

    def _next(self) -> "tuple[Served, list[tuple[Basket, Future[BasketAnswer]]]]":
        """Take the first basket and those behind it that fit into its pass: of the same run, each customer once."""
        served, customers = self._waiting[0][0], set[str | None]()
        chosen: list[tuple[Basket, Future[BasketAnswer]]] = []
        while self._waiting and len(chosen) < AT_ONCE:
            other, basket, future = self._waiting[0]
            if other is not served or (basket.customer_id is not None and basket.customer_id in customers):
                break
            customers.add(basket.customer_id)
            chosen.append((basket, future))
            self._waiting.popleft()
        return served, chosen


def _answer(baskets: Baskets, chosen: "list[tuple[Basket, Future[BasketAnswer]]]") -> None:
    try:
        answers = baskets.recommend([basket for basket, _ in chosen])
    except Exception as error:
        if len(chosen) == 1:
            with suppress(Exception):  # nobody waits for it any more
                chosen[0][1].set_exception(error)
            return
        for each in chosen:  # so that one of them spoils no other
            _answer(baskets, [each])
        return
    for (_, future), answer in zip(chosen, answers, strict=True):
        with suppress(Exception):
            future.set_result(answer)
