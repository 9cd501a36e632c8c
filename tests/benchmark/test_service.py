"""The benchmark of the service starts it, compares every answer, and stops it."""

import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import psutil
import pytest
from small_run import CPU

from hmgpu.benchmark import service
from hmgpu.benchmark.service import benchmark_service
from hmgpu.benchmark.service_load import Question, ask_for
from hmgpu.core.errors import RunError
from hmgpu.pipeline.open import open_pipeline


def test_it_measures_lookups_and_baskets_also_while_runs_change(finished, tmp_path, monkeypatch):
    monkeypatch.setattr(service, "EVERY", 0.2)
    run = open_pipeline(finished, CPU).run.folder
    other = shutil.copytree(run, tmp_path / "2020-09-29-abcdef02", symlinks=True)
    result = benchmark_service(run, None, 0.3, 2, other, 0.001)
    assert [(load.what, load.clients) for load in result.loads[:4]] == [
        ("lookup", 1),
        ("lookup", 2),
        ("basket", 1),
        ("basket", 2),
    ]
    assert {load.what for load in result.loads[4:]} == {"lookup, promoting", "basket, promoting"}
    assert all(load.latencies and not load.wrong for load in result.loads)
    assert set().union(*(load.runs for load in result.loads)) == {run.name, other.name}
    assert result.facts["promotions"] == 2
    result.write(tmp_path / "out.json", "hmgpu benchmark serve")
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["loads"][0].keys() >= {"a_second", "p50_ms", "p95_ms", "p99_ms"}
    assert not [child for child in psutil.Process().children() if "serve" in child.cmdline()]


def test_a_service_that_doesnt_start_says_why(tmp_path, monkeypatch):
    with (
        pytest.raises(RunError, match=r"The service didn't start: Error: There is no run .*nowhere"),
        service._service(tmp_path / "nowhere", None),
    ):
        pass


@pytest.fixture
def liar():
    """A server whose answers are one customer's list under the name of a run, whoever asks."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            status = 500 if self.path == "/broken" else 200
            body = json.dumps({"run": "a", "articles": ["1", "2"]}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


@pytest.mark.parametrize(
    ("customer", "path", "right", "says"),
    [
        ("one", "/one", {"a": {"one": ["1", "2"]}}, None),
        ("one", "/one", {"a": {"one": ["2", "1"]}}, "not the list that a has for one"),
        ("one", "/one", {"b": {"one": ["1", "2"]}}, "of the run a"),
        ("one", "/broken", {"a": {"one": ["1", "2"]}}, "500"),
    ],
)
def test_wrong_answers_are_found(liar, customer, path, right, says):
    load = ask_for("lookup", liar, [Question(customer, "GET", path)], right, 1, 0.1)
    assert load.latencies
    assert bool(load.wrong) == bool(says)
    assert not says or says in load.wrong[0]
