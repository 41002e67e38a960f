"""Where a model will be saved: checked before any work."""

from __future__ import annotations

import os
from fnmatch import fnmatch
from pathlib import Path

from alsatian.errors import ModelFileError, ParameterError


def check_output(output: Path, *inputs: str | None) -> None:
    """Raise where the model cannot be saved at the end, or would replace something that is no model."""
    for source in inputs:
        if source and (_same(output, Path(source)) or fnmatch(str(output.resolve()), str(Path(source).resolve()))):
            raise ParameterError(f"-o {output} is what is to be read; save the model under another name.")
    folder = output.parent
    if not folder.exists():
        raise ModelFileError(
            f"there is no folder {str(folder)!r} to save {output.name} in; create it, or choose another -o."
        )
    if not folder.is_dir():
        raise ModelFileError(f"{folder} is a file, so nothing can be saved in it; choose another -o.")
    if output.is_dir():
        raise ModelFileError(f"{output} is a folder; name the file, such as -o {output / 'my.model'}.")
    if not os.access(folder, os.W_OK):
        raise ModelFileError(f"the folder {str(folder)!r} cannot be written to; choose another -o.")
    if output.exists() and output.stat().st_size and not looks_like_model(output):
        raise ModelFileError(f"{output} exists and is no model; remove it first, or choose another -o.")


def looks_like_model(path: Path) -> bool:
    """Tell whether a file begins like a model file: the length of a JSON table, and the table."""
    try:
        with path.open("rb") as file:
            head = file.read(9)
    except OSError:
        return False
    return len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size


def _same(a: Path, b: Path) -> bool:
    return a.exists() and b.exists() and a.samefile(b)
