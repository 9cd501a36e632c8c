import socket
from pathlib import Path

import pytest

from hmgpu.app.start import command, start
from hmgpu.core.errors import ConfigError, RunError


def test_it_listens_here_alone_and_tells_nobody() -> None:
    words = command(Path("demo/runs"), "localhost", 8600)
    assert words[-2:] == ["--", "demo/runs"]
    assert {"--server.address=localhost", "--server.port=8600", "--browser.gatherUsageStats=false"} <= {*words}


def test_without_a_folder_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="none does not exist: --runs"):
        start(tmp_path / "none", "localhost", 8600)


def test_a_port_that_is_taken_is_said(shop: Path) -> None:
    with socket.create_server(("localhost", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"localhost:{port} can't be listened at .*: name another"):
            start(shop, "localhost", port)
