"""Measure `hmgpu serve`: latencies of lookups and baskets, and whether it stays right while runs change."""

import datetime
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import psutil
from rich.table import Table

from hmgpu.benchmark.service_load import Load, Question, Right, ask, ask_for
from hmgpu.core.errors import RunError
from hmgpu.core.files import swap_link, write_result
from hmgpu.core.machine import machine, versions
from hmgpu.data.store import Store
from hmgpu.data.weeks import date_of
from hmgpu.pipeline.config import load_config
from hmgpu.serving.finished_run import FinishedRun
from hmgpu.serving.held_lists import HeldLists
from hmgpu.serving.learned_run import ENGINE

CUSTOMERS = 300  # whom clients ask about
EVERY = 2.0  # seconds between promotions while clients ask
PATIENCE = 300.0  # seconds in which one must be followed
UNKNOWN = "nobody"


@dataclass(frozen=True)
class ServiceResult:
    """All that one benchmark of the service measured."""

    loads: Sequence[Load]
    facts: Mapping[str, Any]

    def table(self) -> Table:
        """Return the table, a row a load."""
        caption = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.facts.items())
        table = Table(title="hmgpu benchmark serve", caption=caption)
        for name in ("what", "clients", "requests", "a second", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "wrong"):
            table.add_column(name, justify="left" if name == "what" else "right")
        for load in self.loads:
            points = (f"{load.percentile(share):.1f}" for share in (50, 95, 99))
            count = f"{len(load.latencies):,}"
            cpu = "" if load.cpu_seconds is None else f"{load.cpu_ms:.1f}"
            a_second = f"{load.a_second:,.0f}"
            table.add_row(load.what, str(load.clients), count, a_second, *points, cpu, str(len(load.wrong)))
        return table

    def write(self, file: Path, command: str) -> None:
        """Write all figures into `file`. Raises ConfigError where that holds the result of another command."""
        content = {
            "benchmark": "serve",
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "command": command,
            "machine": machine(),
            "load_average": os.getloadavg(),
            "versions": dict(versions()),
            **self.facts,
            "loads": [load.facts() for load in self.loads],
        }
        write_result(file, content, ("benchmark", "command"))


def benchmark_service(
    run: Path, data: Path | None, seconds: float, clients: int, other: Path | None = None, minutes: float = 0.0
) -> ServiceResult:
    """Start the service over `run`, ask it, and stop it.

    Args:
        run: a finished run.
        data: its data set; None: the one that its config names.
        seconds: of each load.
        clients: of the loads with several.
        other: another run, to which and back the service is led for so many `minutes`, each time after it has followed.
        minutes: 0 leaves that out.

    Raises RunError where the service doesn't start, or gave an answer that is wrong.
    """
    runs = [FinishedRun.open(each) for each in (run, other) if each is not None]
    customers = _sample(HeldLists.read(runs[0]))
    right = {each.folder.name: _lists(each, customers) for each in runs}
    lookups = [Question(each, "GET", f"/recommendations/{urllib.parse.quote(each, safe='')}") for each in customers]
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / "current"
        link.symlink_to(runs[0].folder)
        with _service(link, data) as (port, process):
            health = json.loads(_get(port, "/health"))
            baskets = _baskets(runs[0], data, customers) if health["baskets"] == "ok" else []
            loads = []
            for what, questions in (("lookup", lookups), ("basket", baskets)):
                for number in dict.fromkeys((1, clients)):
                    if questions:
                        before = _cpu(process.pid)
                        load = ask_for(what, port, questions, right, number, seconds)
                        load.cpu_seconds = _cpu(process.pid) - before
                        loads.append(load)
            memory = psutil.Process(process.pid).memory_info().rss
            facts = {"customers": health["customers"], "memory_mib": round(memory / 2**20)}
            if not baskets:
                facts["no_baskets"] = health["baskets"]
            if minutes:
                turns = _Turns(link, [each.folder for each in runs], minutes * 60)
                loads += turns.under(port, [("lookup", lookups), ("basket", baskets)], right, clients)
                rss = psutil.Process(process.pid).memory_info().rss
                facts |= {"promotions": turns.made, "memory_after_mib": round(rss / 2**20)}
    wrong = [problem for load in loads for problem in load.wrong]
    if wrong:
        raise RunError(f"{len(wrong)} answers of the service were wrong, the first: {wrong[0]}")
    return ServiceResult(loads, facts)


class _Turns:
    """The link to the current run, led to one run after the other."""

    def __init__(self, link: Path, runs: Sequence[Path], seconds: float) -> None:
        self.link, self.runs, self.seconds, self.made = link, runs, seconds, 0

    def under(
        self, port: int, asked: Sequence[tuple[str, Sequence[Question]]], right: Right, clients: int
    ) -> list[Load]:
        """Promote while clients ask; return what they saw."""
        end, loads = threading.Event(), list[Load]()
        threads = [
            threading.Thread(
                target=lambda what=what, questions=questions: loads.append(
                    ask(f"{what}, promoting", port, questions, right, clients, end)
                )
            )
            for what, questions in asked
            if questions
        ]
        for thread in threads:
            thread.start()
        until = time.monotonic() + self.seconds
        try:
            while self.made < len(self.runs) or time.monotonic() < until:
                self._promote(port)
                time.sleep(EVERY)
        finally:
            end.set()
            for thread in threads:
                thread.join()
        return loads

    def _promote(self, port: int) -> None:
        """Lead the link to the next run, and wait until that is served."""
        self.made += 1
        run = self.runs[self.made % len(self.runs)]
        swap_link(self.link, str(run), self.link.with_name("next"))
        latest = time.monotonic() + PATIENCE
        while json.loads(_get(port, "/health"))["run"] != run.name:
            if time.monotonic() > latest:
                raise RunError(f"The service didn't follow to {run} in {PATIENCE:g} s.")
            time.sleep(0.1)


@contextmanager
def _service(place: Path, data: Path | None) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """Start `hmgpu serve` and yield its port and process; stop it at the end."""
    command = [sys.executable, "-m", "hmgpu.cli", "serve", "--run", str(place), "--port", "0"]
    options = [] if data is None else ["--data", str(data)]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=said, text=True)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line.startswith("serving: "):
                process.wait(timeout=30)
                said.seek(0)
                raise RunError(f"The service didn't start: {said.read().strip()[-500:]}")
            port = int(line.rpartition(":")[2])
            for _ in range(200):  # it listens already, and answers when it is up
                try:
                    _get(port, "/health")
                    break
                except OSError:
                    time.sleep(0.05)
            yield port, process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _get(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        content: bytes = answer.read()
    return content


def _sample(lists: HeldLists) -> list[str]:
    """Sample customers, and somebody whom no run knows."""
    places = random.Random(1).sample(range(len(lists.ids)), min(CUSTOMERS, len(lists.ids)))
    return [*lists.ids.gather(places).to_list(), UNKNOWN]


def _lists(run: FinishedRun, customers: Sequence[str]) -> dict[str, list[str]]:
    lists = HeldLists.read(run)
    return {customer: lists.of(customer, lists.k)[0] for customer in customers}


def _baskets(run: FinishedRun, data: Path | None, customers: Sequence[str]) -> list[Question]:
    """Write down what the customers bought, as somebody outside would."""
    config = load_config(run.folder / "config.yaml", {} if data is None else {"data.root": data})
    store = Store(config.data.root, config.weeks.gap)
    asked = pl.LazyFrame({"customer_id": list(customers)})
    known = store.customer_ids().join(asked, on="customer_id", how="semi")
    sold = store.as_of(store.next_week.first_day).transactions.join(known, on="customer")
    rows = ENGINE.collect(sold.join(store.article_ids(), on="article")).partition_by("customer_id", as_dict=True)
    channels, unit = config.data.channels, float(Fraction(config.data.price_unit))
    found = []
    for (customer,), bought in rows.items():
        purchases = [
            {"article": row["article_id"], "day": str(date_of(row["day"]))}
            | ({"price": row["price"] * unit} if "price" in row else {})
            | ({"channel": channels[row["channel"]]} if "channel" in row else {})
            for row in bought.iter_rows(named=True)
        ]
        body = json.dumps({"customer": customer, "purchases": purchases}).encode()
        found.append(Question(str(customer), "POST", "/basket", body))
    return found
