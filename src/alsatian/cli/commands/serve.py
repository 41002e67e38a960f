"""alsatian serve: run a model as an HTTP service with a web page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from alsatian.cli.options.common import ModelFile
from alsatian.cli.terminal import note_stderr
from alsatian.errors import DependencyError, ParameterError

TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        metavar="FILE",
        help="A file with the token that write requests must send. Default: $ALSATIAN_TOKEN, or no token.",
    ),
]


def serve(
    file: ModelFile,
    port: Annotated[
        int, typer.Option("--port", metavar="N", help="The port to listen on; 0 chooses a free one.")
    ] = 8000,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            help="The address to listen on. One that other machines can reach requires a token.",
        ),
    ] = "127.0.0.1",
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", help="Number of worker processes, at most 256.")
    ] = 1,
    event_log: Annotated[
        str | None,
        typer.Option(
            "--event-log",
            metavar="URL",
            help="Database of the event log, SQLite or PostgreSQL. Default: FILE.events.db.",
        ),
    ] = None,
    token_file: TokenFile = None,
) -> None:
    """Serve a model over HTTP, with a web page, and store events.

    \b
    alsatian serve movies.model
    ALSATIAN_TOKEN=$(openssl rand -hex 32) alsatian serve movies.model --host 0.0.0.0 --workers 2
    """
    from alsatian.serving.settings import ServiceSettings

    settings = ServiceSettings(file, event_log, _read_token(token_file), host, port, workers)
    try:
        from alsatian.serving.processes import run_server
    except ImportError as error:
        raise DependencyError(f"serving needs {error.name}: pip install 'alsatian[serve]'.") from None
    run_server(settings, lambda address: note_stderr(f"serving {file} at {address}"))


def _read_token(file: Path | None) -> str | None:
    """Return the token from a file, else from the environment, else None."""
    if file is None:
        return os.environ.get("ALSATIAN_TOKEN") or None
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(
            f"--token-file {file} cannot be read: {getattr(error, 'strerror', None) or 'not text'}."
        ) from None
