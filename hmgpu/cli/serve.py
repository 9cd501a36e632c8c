"""The verb that serves a run over HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from hmgpu.cli.options import ConfigFile, RunFolder, Settings, finished_run
from hmgpu.cli.verbs import verbs

app = typer.Typer()
verb = verbs(app, "Runs")


@verb("serve", "hmgpu serve", "hmgpu serve --run demo/runs/current --port 8080 --token-file token")
def serve_verb(
    run: RunFolder = None,
    config: ConfigFile = None,
    settings: Settings = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FOLDER", help="Folder of the run's data set.", show_default="as in its config"),
    ] = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen at; 0.0.0.0 is every one.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port to listen at; 0 takes a free one.")
    ] = 8000,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="Answer only who sends the token in this file."),
    ] = None,
) -> None:
    """Answer over HTTP: customers' lists, lists for baskets, similar articles; follows the current run.

    GET /recommendations/CUSTOMER, POST /recommendations, POST /basket, GET /similar/ARTICLE, /explain/CUSTOMER,
    /health, /metrics; /openapi.json describes them.
    """
    from hmgpu.core.extras import needed_by

    with needed_by("hmgpu serve"):
        from hmgpu.app.service.server import serve

    serve(finished_run(run, config, settings), data, host, port, token_file)
