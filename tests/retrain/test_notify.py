"""Notifications of how a retrain ended."""

import http.server
import json
import logging
import sys
import threading

import pytest

from hmgpu.pipeline.retrain_settings import Notify
from hmgpu.retrain.notify import notify
from hmgpu.retrain.record import Record

RECORD = Record("2020-09-23T04:00:00+00:00", outcome="kept", reason="worse")


@pytest.fixture
def warnings(caplog):
    caplog.set_level(logging.WARNING, logger="hmgpu")
    return caplog


@pytest.fixture
def listener():
    """A web server that keeps what is posted to it; it answers 500 to `/broken`."""
    heard = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.path, self.headers["Content-Type"], json.loads(body)))
            self.send_response(500 if self.path.startswith("/broken") else 204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", heard
    server.shutdown()
    server.server_close()


def test_nobody_is_notified_unless_the_config_says_so(warnings):
    notify(Notify(), RECORD)
    assert not warnings.records


def test_a_program_reads_the_record(tmp_path, warnings):
    file = tmp_path / "heard; rm -rf x.json"
    code = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())"
    notify(Notify(command=(sys.executable, "-c", code, str(file))), RECORD)
    assert json.loads(file.read_text()) == RECORD.as_json()
    assert not warnings.records


@pytest.mark.parametrize("command", [("/no/such/program",), (sys.executable, "-c", "raise SystemExit(7)")])
def test_a_program_that_fails_changes_nothing(command, warnings):
    notify(Notify(command=command), RECORD)
    assert "retrain.notify.command" in warnings.text


def test_a_webhook_gets_the_record(listener, monkeypatch, warnings):
    address, heard = listener
    monkeypatch.setenv("OUR_HOOK", f"{address}/secret-token")
    notify(Notify(webhook_variable="OUR_HOOK"), RECORD)
    assert heard == [("/secret-token", "application/json", RECORD.as_json())]
    assert not warnings.records


@pytest.mark.parametrize("path", ["/broken/secret-token", None])
def test_a_webhook_that_fails_is_logged_without_its_address(listener, path, monkeypatch, warnings):
    address, _ = listener
    monkeypatch.setenv("OUR_HOOK", f"{address}{path}" if path else "http://127.0.0.1:1/secret-token")
    notify(Notify(webhook_variable="OUR_HOOK"), RECORD)
    assert "webhook in OUR_HOOK failed" in warnings.text
    assert "secret-token" not in warnings.text


@pytest.mark.parametrize("address", ["", "file:///etc/passwd", "ftp://there"])
def test_only_web_addresses_are_called(address, monkeypatch, warnings):
    monkeypatch.setenv("OUR_HOOK", address)
    notify(Notify(webhook_variable="OUR_HOOK"), RECORD)
    assert "OUR_HOOK holds no http(s) address" in warnings.text
    assert address == "" or address not in warnings.text
