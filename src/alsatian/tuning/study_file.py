"""The study file: an Optuna journal with a line for each step, written when a trial is finished."""

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
    """Lock a study file for this search. The system releases the lock however this process ends.

    path: None if there is no study file. Raises ParameterError for a file that is not a study file, or is in use.
    """
    if path is None:
        yield
        return
    if not path.parent.is_dir():
        raise ParameterError(f"there is no folder {str(path.parent)!r} for the study file; create it first.")
    if path.exists() and path.stat().st_size and not is_study_file(path):
        raise ParameterError(f"{path} is not a study file, and would be overwritten; pass another name.")
    with path.open("ab+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ParameterError(f"another search is using {path}; wait until it ends, or pass another name.") from None
        _truncate_partial_line(file)
        yield


def _truncate_partial_line(file: BinaryIO) -> None:
    """Remove a partial last line, which a killed search leaves and Optuna cannot read. Its trial is run again."""
    file.seek(0)
    file.truncate(file.read().rfind(b"\n") + 1)


def is_study_file(path: Path) -> bool:
    """Return whether a file begins like a journal of Optuna."""
    with path.open("rb") as file:
        try:
            record = json.loads(file.readline(1 << 16))
        except ValueError:
            return False
    return isinstance(record, dict) and "op_code" in record
