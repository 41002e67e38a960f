"""The container of a model: named arrays and a JSON header in one safetensors file, checked to the last bit.

    8 bytes   length of the table
    table     JSON: dtype, shape and place of each array; in "__metadata__" two strings,
              "alsatian" (JSON: format, library version, header, a SHA-256 per array) and
              "digest" (the SHA-256 of that string and of the entries of the arrays); padded to 8 bytes
    arrays    one after the other, those of wide numbers first, so that each begins aligned

Nothing in it is code, and nothing is unpickled.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from alsatian._version import __version__
from alsatian.errors import ModelFileError, ParameterError, nearest

FORMAT = 1
_DTYPES = {"F64": "<f8", "I64": "<i8", "F32": "<f4", "I32": "<i4", "U8": "|u1", "BOOL": "|b1"}
_NAMES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}
_CHUNK = 16 << 20  # bytes between two looks at Ctrl-C
_UNFIT = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
)  # from a made-up table

Arrays = Mapping[str, NDArray[Any]]

# Files whose arrays this process, or the one that it was forked from, has checked.
_verified: set[tuple[str, int, int, int, int]] = set()


def write(path: str | Path, header: Mapping[str, Any], arrays: Arrays) -> None:
    """Write one model file; whatever goes wrong, a file that was there before stays whole.

    header: what JSON can hold. arrays: float64, float32, int64, int32, uint8 or bool, of any shape.
    Equal input gives equal bytes. Raises ModelFileError when the file cannot be written.

    >>> write("tiny.model", {"model": "popularity"}, {"counts": np.array([3, 1])})  # doctest: +SKIP
    """
    target = Path(os.path.realpath(path))  # a link keeps pointing to the file that it pointed to
    if target.exists() and not target.is_file():
        raise ModelFileError(f"cannot write {path}: it is not an ordinary file; choose another name.")
    flat = {name: _storable(name, array) for name, array in arrays.items()}
    flat = {name: flat[name] for name in sorted(flat, key=lambda name: (-flat[name].itemsize, name))}
    temporary = target.with_name(f".alsatian-{secrets.token_hex(8)}.tmp")
    try:
        _write_flushed(temporary, _table(header, flat), flat)
        _like(target, temporary)
        temporary.replace(target)
        _flush_folder(target.parent)
    except BaseException as error:  # Ctrl-C too leaves nothing behind
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise ModelFileError(f"cannot write {path}: {_reason(error)}.") from error
        raise


def read(path: str | Path, *, verify: bool = True) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the header and the arrays of a model file. The arrays are mapped: read-only, and not in memory.

    With verify=False the digests of the arrays are not compared; all else is checked all the same.
    Raises ModelFileError when the file is missing, no model, cut short, altered or of a newer format.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            about, entries, start = _read_table(path, file, status.st_size)
            arrays = _map_arrays(path, file, entries, start, status.st_size)
        seen = (str(path.resolve()), status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    except FileNotFoundError:
        raise ModelFileError(f"there is no file {path}.{_near(path) or ' Check the path.'}") from None
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {_reason(error)}.") from error
    if verify and seen not in _verified:
        for name, array in arrays.items():
            if _sha256(array) != about["digests"].get(name):
                raise _damaged(path, f"the bytes of {name!r} are altered")
        _verified.add(seen)
    return about["header"], arrays


def version_of(path: str | Path) -> str:
    """Return the version of the library that saved a model file."""
    path = Path(path)
    with path.open("rb") as file:
        return str(_read_table(path, file, path.stat().st_size)[0]["version"])


def looks_like_model(path: Path) -> bool:
    """Tell whether a file begins like a model file: the length of a JSON table, and the table."""
    try:
        with path.open("rb") as file:
            head = file.read(9)
    except OSError:
        return False
    return len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size


def _storable(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Return the array as it will lie in the file; a copy only where it is not contiguous already."""
    array = np.asarray(array, order="C")
    if (dtype := array.dtype.newbyteorder("<")) not in _NAMES:
        known = ", ".join(str(known) for known in _NAMES)
        raise ParameterError(f"array {name!r} is {array.dtype}; a model file holds {known}.")
    return array.astype(dtype, copy=False)


def _table(header: Mapping[str, Any], arrays: Arrays) -> bytes:

    digests = {name: _sha256(array) for name, array in arrays.items()}
    about = {"format": FORMAT, "version": __version__, "header": header, "digests": digests}
    entries, end = {}, 0
    for name, array in arrays.items():
        place = [end, end := end + array.nbytes]
        entries[name] = {"dtype": _NAMES[array.dtype], "shape": list(array.shape), "data_offsets": place}
    text = json.dumps(about, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return _encoded({"__metadata__": {"alsatian": text, "digest": _table_digest(text, entries)}, **entries})


def _encoded(table: Mapping[str, Any]) -> bytes:
    """The one spelling of a table that is written and accepted."""
    text = json.dumps(table, separators=(",", ":")).encode()
    return text + b" " * (-len(text) % 8)


def _table_digest(text: str, entries: Mapping[str, Any]) -> str:
    return hashlib.sha256(f"{text}\n{json.dumps(entries)}".encode()).hexdigest()


def _write_flushed(path: Path, table: bytes, arrays: Arrays) -> None:
    with path.open("xb") as file:
        file.write(len(table).to_bytes(8, "little") + table)
        for array in arrays.values():
            for chunk in _chunks(array):
                file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def _like(old: Path, new: Path) -> None:
    """Give a file the rights and, where the system lets us, the owner of the one that it takes the place of."""
    if old.exists():
        status = old.stat()
        with contextlib.suppress(OSError):
            os.chown(new, status.st_uid, status.st_gid)
        new.chmod(stat.S_IMODE(status.st_mode))


def _flush_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where the file system can promise that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _read_table(path: Path, file: BinaryIO, size: int) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Return what is said about the model, the entries of its arrays, and where these begin."""
    start = 8 + int.from_bytes(file.read(8), "little")
    if size < 10 or file.read(1) != b"{":
        raise ModelFileError(f"{path} is not a model file; give one that alsatian saved.")
    if start > size:
        raise ModelFileError(
            f"{path} is cut short: {size:,} bytes, and its table alone needs {start:,}; copy it again or train anew."
        )
    file.seek(8)
    raw = file.read(start - 8)
    try:
        entries = json.loads(raw)
        metadata = entries.pop("__metadata__", {})
        if "alsatian" not in metadata:
            raise ModelFileError(
                f"{path} is a safetensors file without an Alsatian model; give one that alsatian saved."
            )
        about = json.loads(metadata["alsatian"])
        if (found := about["format"]) > FORMAT:
            raise ModelFileError(f"{path} has format {found}, this library reads up to {FORMAT}; upgrade alsatian.")
        whole = metadata["digest"] == _table_digest(metadata["alsatian"], entries)
        if not whole or raw != _encoded({"__metadata__": metadata, **entries}):
            raise _damaged(path, "its table is altered")
    except _UNFIT:
        raise _damaged(path, "its table cannot be read") from None
    return about, entries, start


def _map_arrays(path: Path, file: BinaryIO, entries: Mapping[str, Any], start: int, size: int) -> dict[str, Any]:
    """Return read-only views into the mapped file, after checking that they cover it exactly."""
    whole, arrays, end = np.asarray(np.memmap(file, np.uint8, "r")), {}, start
    try:
        for name, entry in entries.items():
            dtype, shape = np.dtype(_DTYPES[entry["dtype"]]), tuple(entry["shape"])
            begin, end = end, end + math.prod(shape) * dtype.itemsize
            if [begin - start, end - start] != entry["data_offsets"] or min(shape, default=0) < 0:
                raise _damaged(path, f"the place of {name!r} is wrong")
            if end <= size:
                arrays[name] = whole[begin:end].view(dtype).reshape(shape)
    except _UNFIT:
        raise _damaged(path, "its arrays are described wrongly") from None
    if end != size:
        raise _damaged(path, f"it has {size:,} bytes instead of {end:,}")
    return arrays


def _chunks(array: NDArray[Any]) -> Iterator[memoryview]:
    flat = array.reshape(-1).view(np.uint8)
    for begin in range(0, len(flat), _CHUNK):
        yield flat[begin : begin + _CHUNK].data


def _sha256(array: NDArray[Any]) -> str:
    sha = hashlib.sha256()
    for chunk in _chunks(array):
        sha.update(chunk)
    return sha.hexdigest()


def _damaged(path: Path, what: str) -> ModelFileError:
    return ModelFileError(f"{path} is damaged: {what}; copy it again or train anew.")


def _near(path: Path) -> str:
    with contextlib.suppress(OSError):
        return nearest(path.name, [other.name for other in path.parent.iterdir() if other.is_file()])
    return f" The folder {path.parent} does not exist either."


def _reason(error: OSError) -> str:
    """Say in words what the system refused, and what to do."""
    code = error.errno
    if code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        next_step = "free some space or choose another disk"
    elif code in (errno.EACCES, errno.EPERM, errno.EROFS):
        next_step = "choose a place where you have permission"
    else:
        next_step = "create the folder first" if code == errno.ENOENT else "check the path"
    return f"{error.strerror or error}; {next_step}"
