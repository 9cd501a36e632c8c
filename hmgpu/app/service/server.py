"""Listen, and serve until a signal comes."""

import logging
from contextlib import suppress
from pathlib import Path

import uvicorn

from hmgpu.app.listening import listen
from hmgpu.app.service.gate import read_token
from hmgpu.app.service.routes import service
from hmgpu.app.service.served import Current
from hmgpu.core.console import console

log = logging.getLogger(__name__)

HERE = ("127.0.0.1", "::1", "localhost")
WAIT = 20  # seconds that requests under way have when the service ends


def serve(place: Path, data: Path | None, host: str, port: int, token_file: Path | None) -> None:
    """Serve the run behind `place` at `host` and `port` (0: any that is free) until SIGINT or SIGTERM.

    Raises ConfigError where nobody can listen there or the token can't be read, RunError where there is no such run.
    """
    token = None if token_file is None else read_token(token_file)
    with listen(host, port) as listener:
        if token is None and host not in HERE:
            log.warning("whoever reaches %s may ask: --token-file asks for a token", host)
        current = Current(place, data)
        config = uvicorn.Config(
            service(current, token),
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=512,
            timeout_graceful_shutdown=WAIT,
        )
        at = f"[{host}]" if ":" in host else host
        console.print(f"serving: {current.served.name} at http://{at}:{listener.getsockname()[1]}", soft_wrap=True)
        with suppress(SystemExit):  # uvicorn has ended in order, and raises the signal again
            uvicorn.Server(config).run(sockets=[listener])
