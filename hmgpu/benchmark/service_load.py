"""Clients that ask a service over HTTP, each one question after the other, and compare every answer."""

import http.client
import json
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Right = Mapping[str, Mapping[str, Sequence[str]]]
"""By run, each customer's list."""


@dataclass(frozen=True)
class Question:
    """A request about one customer, whose list is known."""

    customer: str
    method: str
    path: str
    body: bytes | None = None


@dataclass
class Load:
    """What clients have seen."""

    what: str
    clients: int
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """The answers that were no list, or not the list of the run that they name; a few of them are kept."""
    runs: set[str] = field(default_factory=set)
    """The runs that answered."""
    cpu_seconds: float | None = None
    """Seconds of a processor that the service took for all of them: other work on the machine hardly changes these."""

    @property
    def a_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Return the latency, in milliseconds, that this share of the answers kept to."""
        return float(np.percentile(self.latencies, share)) * 1000 if self.latencies else float("nan")

    @property
    def cpu_ms(self) -> float:
        """Return the milliseconds of a processor that a request took."""
        return 1000 * self.cpu_seconds / len(self.latencies) if self.cpu_seconds and self.latencies else float("nan")

    def facts(self) -> dict[str, Any]:
        """Return the figures, as JSON can hold them."""
        points = {f"p{share}_ms": round(self.percentile(share), 2) for share in (50, 95, 99)}
        return {
            "what": self.what,
            "clients": self.clients,
            "requests": len(self.latencies),
            "a_second": round(self.a_second, 1),
            **points,
            "cpu_ms": None if self.cpu_seconds is None else round(self.cpu_ms, 2),
            "wrong": len(self.wrong),
            "runs": sorted(self.runs),
        }


def ask(what: str, port: int, questions: Sequence[Question], right: Right, clients: int, end: threading.Event) -> Load:
    """Let `clients` ask until `end` is set; each starts elsewhere among the `questions`."""
    load, started = Load(what, clients), time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        asking = [
            pool.submit(_client, port, questions, right, place * len(questions) // clients, load, end)
            for place in range(clients)
        ]
        for each in asking:
            each.result()
    load.seconds = time.perf_counter() - started
    return load


def ask_for(what: str, port: int, questions: Sequence[Question], right: Right, clients: int, seconds: float) -> Load:
    """Let `clients` ask for so many seconds."""
    end = threading.Event()
    timer = threading.Timer(seconds, end.set)
    timer.start()
    try:
        return ask(what, port, questions, right, clients, end)
    finally:
        timer.cancel()


def _client(
    port: int, questions: Sequence[Question], right: Right, place: int, load: Load, end: threading.Event
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while not end.is_set():
        question = questions[place % len(questions)]
        place += 1
        started = time.perf_counter()
        try:
            connection.request(question.method, question.path, question.body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            load.wrong.append(f"{question.path}: {type(error).__name__} {error}")
            connection.close()
            continue
        load.latencies.append(time.perf_counter() - started)
        problem = _problem(question, answer.status, content, right, load)
        if problem:
            load.wrong.append(problem)
    connection.close()


def _problem(question: Question, status: int, content: bytes, right: Right, load: Load) -> str | None:
    """Return what is wrong about an answer."""
    if status != 200:
        return f"{question.path}: {status} {content[:200]!r}"
    found = json.loads(content)
    load.runs.add(found["run"])
    if found["run"] not in right:
        return f"{question.path}: of the run {found['run']}"
    if found["articles"] != right[found["run"]][question.customer]:
        return f"{question.path}: not the list that {found['run']} has for {question.customer}"
    return None
