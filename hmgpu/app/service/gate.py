"""What every request passes: the token, the size of its body, the count of it, and an end without a traceback."""

import hmac
import json
import logging
import time
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hmgpu.app.service.metrics import Metrics
from hmgpu.core.errors import ConfigError, reason

log = logging.getLogger(__name__)

BODY = 2**20  # bytes
OPEN = frozenset({"/health"})  # without a token, for whoever only asks whether the service is there


def read_token(file: Path) -> str:
    """Return the token in `file`. Raises ConfigError where there is none that a header could carry."""
    try:
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--token-file: {file} can't be read ({reason(error)}); write a token into it.") from None
    if len(token) < 16 or not token.isprintable() or " " in token:
        raise ConfigError(f"--token-file: {file} holds no token: write one line of 16 or more letters and digits.")
    return token


class Gate:
    """The outermost ASGI application."""

    def __init__(self, app: ASGIApp, metrics: Metrics, token: str | None) -> None:
        self.app, self.metrics = app, metrics
        self._expected = None if token is None else f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            refused = self._refused(scope)
            if refused:
                await _answer(counted, *refused)
            else:
                await self.app(scope, _limited(receive), counted)
        except Exception as error:  # a bug: its traceback is for the log alone
            log.error("%s %s failed: %s: %s", scope["method"], scope["path"], type(error).__name__, error)
            log.debug("its traceback", exc_info=error)
            if not status:
                await _answer(counted, 500, BUG)
        finally:
            # The route, not the path, which has as many values as there are customers.
            route = getattr(scope.get("route"), "path", "other")
            self.metrics.answered(route, status, time.perf_counter() - started)

    def _refused(self, scope: Scope) -> tuple[int, str] | None:
        """Return status and sentence of a request that goes no further."""
        headers = dict(scope["headers"])
        if self._expected is not None and scope["path"] not in OPEN:
            given = headers.get(b"authorization", b"")
            if not hmac.compare_digest(given, self._expected):
                return 401, "Send the service's token in the header `Authorization: Bearer TOKEN`."
        try:
            size = int(headers.get(b"content-length", b"0"))
        except ValueError:
            return 400, "The header Content-Length is not a number."
        return (413, TOO_LARGE) if size > BODY else None


BUG = "Something went wrong in the service: its log has more."
TOO_LARGE = f"The body is larger than {BODY // 2**10} KiB: ask in several requests."


def _limited(receive: Receive) -> Receive:
    """Return `receive`, which refuses a body that turns out to be too large, whatever its header said."""
    read = 0

    async def limited() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > BODY:
            raise HTTPException(413, TOO_LARGE)
        return message

    return limited


async def _answer(send: Send, status: int, sentence: str) -> None:
    body = json.dumps({"error": sentence}).encode()
    headers: list[Any] = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
