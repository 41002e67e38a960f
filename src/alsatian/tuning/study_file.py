"""The study file, an Optuna journal: a line for each step, written when a trial is over."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from alsatian.errors import ParameterError


@contextmanager
def lock_study_file(path: Path | None) -> Iterator[None]:
    """Let no other search use a study file meanwhile; the system lets go of it however this process ends.

    path: None: there is no file. Raises ParameterError for a file that is something else, or in use.
    """
    if path is None:
        yield
        return
    if not path.parent.is_dir():
        raise ParameterError(f"there is no folder {str(path.parent)!r} for the study file; create it first.")
    if path.exists() and path.stat().st_size and not is_study_file(path):
        raise ParameterError(f"{path} is no study file, and would be overwritten; pass another name.")
    with path.open("ab+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ParameterError(f"another search is using {path}; wait for its end, or pass another name.") from None
        _truncate_partial_line(file)
        yield


def _truncate_partial_line(file: BinaryIO) -> None:
    """Cut off what was half written when a search was killed, which Optuna could not read; that trial is made again."""
    file.seek(0)
    file.truncate(file.read().rfind(b"\n") + 1)


def is_study_file(path: Path) -> bool:
    """Tell whether a file begins as Optuna's journals do."""
    with path.open("rb") as file:
        try:
            record = json.loads(file.readline(1 << 16))
        except ValueError:
            return False
    return isinstance(record, dict) and "op_code" in record
