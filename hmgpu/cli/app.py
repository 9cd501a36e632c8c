"""The verb that opens the app."""

from pathlib import Path
from typing import Annotated

import typer

from hmgpu.cli.verbs import verbs

app = typer.Typer()
verb = verbs(app, "Runs")


@verb("app", "hmgpu app", "hmgpu app demo/runs --port 8600")
def app_verb(
    runs: Annotated[
        Path, typer.Argument(metavar="RUNS", help="Folder of the runs, or one run in it.", show_default="runs")
    ] = Path("runs"),
    host: Annotated[str, typer.Option("--host", help="Address to listen at; 0.0.0.0 is every one.")] = "localhost",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen at.")] = 8501,
) -> None:
    """Look at finished runs in the browser: customers, articles, why, two runs compared, the data, the season."""
    from hmgpu.core.errors import ConfigError
    from hmgpu.core.extras import missing, remedy

    if missing(["streamlit"]):
        raise ConfigError(f"hmgpu app needs streamlit, which is not installed: {remedy('streamlit')}.")
    from hmgpu.app.start import start

    start(runs, host, port)
