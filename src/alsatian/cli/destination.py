"""Where a model will be saved: checked before any work."""

from __future__ import annotations

import os
from fnmatch import fnmatch
from pathlib import Path

from alsatian.errors import ModelFileError, ParameterError


def check_output(output: Path, *inputs: str | None) -> None:
    """Raise where the model cannot be saved at the end, or would replace something that is no model."""
    from alsatian.modelfile import looks_like_model

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


def _same(a: Path, b: Path) -> bool:
    return a.exists() and b.exists() and a.samefile(b)
