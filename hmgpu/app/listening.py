"""Take the address that the app or the service is asked for at."""

import socket

from hmgpu.core.errors import ConfigError, reason

BACKLOG = 2048  # connections that may wait to be accepted


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at `host` and `port` (0: any that is free). Raises ConfigError where none can."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigError(
            f"{host}:{port} can't be listened at ({reason(error)}): name another --host or --port."
        ) from None
