"""Atomic file writes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_atomic(path: str | Path, content: bytes) -> None:
    """Write a file atomically: under a temporary name in the same folder, then renamed.

    If writing fails, an existing file is unchanged. Raises OSError.
    """
    target = Path(os.path.realpath(path))  # write through a symbolic link instead of replacing it
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".alsatian-", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.chmod(0o666 & ~_umask())  # mkstemp creates files that only the owner may read
        temporary.replace(target)
    except BaseException:  # also after Ctrl-C
        temporary.unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
