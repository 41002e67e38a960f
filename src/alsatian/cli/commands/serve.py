"""alsatian serve: a model as an HTTP service with a page."""

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
    typer.Option("--token-file", metavar="FILE", help="Holds the token that writing demands; or set $ALSATIAN_TOKEN."),
]


def serve(
    file: ModelFile,
    port: Annotated[int, typer.Option("--port", metavar="N", help="The port; 0 takes a free one.")] = 8000,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Where to listen; other machines need a token to write.")
    ] = "127.0.0.1",
    workers: Annotated[int, typer.Option("--workers", metavar="N", help="Processes that answer.")] = 1,
    event_log: Annotated[
        str | None,
        typer.Option(
            "--event-log", metavar="URL", help="Where events are kept; FILE.events.db beside the model if unset."
        ),
    ] = None,
    token_file: TokenFile = None,
) -> None:
    """Answer over HTTP, with a page for visitors, and keep events.

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
    """Return the token of a file, or of the environment, or none."""
    if file is None:
        return os.environ.get("ALSATIAN_TOKEN") or None
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(
            f"--token-file {file} cannot be read: {getattr(error, 'strerror', None) or 'not text'}."
        ) from None
