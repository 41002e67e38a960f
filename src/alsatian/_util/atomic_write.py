"""Files written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_atomic(path: str | Path, content: bytes) -> None:
    """Write a file under a temporary name in its folder and rename it; whatever goes wrong, an older one stays whole.

    Raises OSError.
    """
    target = Path(os.path.realpath(path))  # a link keeps pointing to the file that it pointed to
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".alsatian-", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes files for their owner alone
        temporary.replace(target)
    except BaseException:  # Ctrl-C too leaves nothing behind
        temporary.unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
