"""Checks of output files (models, pictures, pages) before any work."""

from __future__ import annotations

import os
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

from alsatian.errors import AlsatianError, ModelFileError, ParameterError


def check_output(output: Path, *inputs: str | None) -> None:
    """Raise ModelFileError or ParameterError if a model cannot be saved there or would overwrite other data."""
    from alsatian.persistence.container import is_model_file

    _check_writable(output, "-o", "my.model", inputs, ModelFileError)
    if output.exists() and output.stat().st_size and not is_model_file(output):
        raise ModelFileError(f"{output} exists and is not a model; remove it first, or choose another -o.")


def check_extra_output(path: Path, option: str, example: str, *inputs: str | Path | None) -> None:
    """Raise ParameterError if a picture or a page cannot be saved there; an existing one is overwritten."""
    _check_writable(path, option, example, inputs, ParameterError)


def _check_writable(
    output: Path, option: str, example: str, inputs: Iterable[str | Path | None], error_class: type[AlsatianError]
) -> None:
    for source in map(str, filter(None, inputs)):
        if _is_same_file(output, Path(source)) or fnmatch(str(output.resolve()), str(Path(source).resolve())):
            raise ParameterError(f"{option} {output} would overwrite {source}; choose another {option}.")
    folder = output.parent
    if not folder.exists():
        raise error_class(
            f"there is no folder {str(folder)!r} to save {output.name} in; create it, or choose another {option}."
        )
    if not folder.is_dir():
        raise error_class(f"{folder} is a file, so nothing can be saved in it; choose another {option}.")
    if output.is_dir():
        raise error_class(f"{output} is a folder; name the file, such as {option} {output / example}.")
    if not os.access(folder, os.W_OK):
        raise error_class(f"the folder {str(folder)!r} cannot be written to; choose another {option}.")


def _is_same_file(a: Path, b: Path) -> bool:
    return a.exists() and b.exists() and a.samefile(b)
