"""Start the app: Streamlit in this process's place, on this machine alone unless a host is named."""

import os
import sys
from pathlib import Path

from hmgpu.app.listening import listen
from hmgpu.core.console import console
from hmgpu.runs.find import folders_of_runs, is_run

MAIN = Path(__file__).parent / "pages" / "main.py"
OPTIONS = {
    "server.headless": "true",  # asks for no mail address, opens no browser
    "server.fileWatcherType": "none",
    "server.showEmailPrompt": "false",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "viewer",
    "client.showErrorDetails": "type",
    "theme.light.primaryColor": "#2563be",
    "theme.dark.primaryColor": "#7fb0ff",
}


def start(runs: Path, host: str, port: int) -> None:
    """Run the app about the runs in `runs` until it is stopped.

    Raises RunError where there is no such folder, ConfigError where nobody can listen at `host` and `port`.
    """
    if not is_run(runs):
        folders_of_runs(runs)
    listen(host, port).close()  # so that a taken port is a sentence of ours
    console.print(f"app: http://{host}:{port} about {runs}; Ctrl-C ends it", soft_wrap=True)
    os.execv(sys.executable, command(runs, host, port))


def command(runs: Path, host: str, port: int) -> list[str]:
    """Return the command that starts Streamlit."""
    options = {**OPTIONS, "server.address": host, "server.port": str(port)}
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "streamlit", "run", *flags, str(MAIN), "--", str(runs)]
