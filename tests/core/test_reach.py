"""Whether a web service answers."""

import socket
import threading

import pytest

from hmgpu.core.reach import answers


@pytest.mark.parametrize("said", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.0 503 Later\r\n\r\n"])
def test_an_error_is_an_answer(said):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(said)

        threading.Thread(target=serve, daemon=True).start()
        assert answers(address, 5)


def test_nobody_there_and_nobody_who_speaks_are_none():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not answers(f"http://127.0.0.1:{silent.getsockname()[1]}", 0.2)
    assert not answers("http://127.0.0.1:1", 0.2)
    assert not answers("no address", 0.2)
