"""The container of a model: named arrays and a JSON header in one safetensors file, verified by digests.

    8 bytes   length of the table
    table     JSON: dtype, shape and offsets of each array; in "__metadata__" two strings,
              "alsatian" (JSON: format, library version, header, a SHA-256 per array) and
              "digest" (the SHA-256 of that string and of the entries of the arrays); padded to 8 bytes
    arrays    one after the other, the widest dtypes first, so that each array is aligned

The file contains no code, and nothing is unpickled.
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
from alsatian.errors import ModelFileError, ParameterError, did_you_mean
from alsatian.persistence import format_1

FORMAT = 2  # 1: names of models, hyper-parameters and arrays as in format_1.py
_SAFETENSORS_DTYPES = {"F64": "<f8", "I64": "<i8", "F32": "<f4", "I32": "<i4", "U8": "|u1", "BOOL": "|b1"}
_DTYPE_NAMES = {np.dtype(dtype): name for name, dtype in _SAFETENSORS_DTYPES.items()}
_CHUNK_BYTES = 16 << 20  # read and written at a time, so that Ctrl-C is handled in between
# The errors that a malformed table can cause.
_MALFORMED_ERRORS = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)

ArrayMapping = Mapping[str, NDArray[Any]]

# Files whose arrays this process, or the process that it was forked from, has verified.
verified_files: set[tuple[str, int, int, int, int]] = set()


def write_container(path: str | Path, header: Mapping[str, Any], arrays: ArrayMapping) -> None:
    """Write one model file atomically: on any error, an existing file stays unchanged.

    header: a JSON-compatible mapping. arrays: float64, float32, int64, int32, uint8 or bool, of any shape.
    Equal input gives equal bytes. Raises ModelFileError if the file cannot be written, ParameterError for other dtypes.

    >>> write_container("tiny.model", {"model": "popularity"}, {"counts": np.array([3, 1])})  # doctest: +SKIP
    """
    target = Path(os.path.realpath(path))  # a symbolic link stays a link
    if target.exists() and not target.is_file():
        raise ModelFileError(f"cannot write {path}: it is not a regular file; choose another name.")
    stored_arrays = {name: _to_storable(name, array) for name, array in arrays.items()}
    stored_arrays = {
        name: stored_arrays[name]
        for name in sorted(stored_arrays, key=lambda name: (-stored_arrays[name].itemsize, name))
    }
    temporary = target.with_name(f".alsatian-{secrets.token_hex(8)}.tmp")
    try:
        _write_and_sync(temporary, _build_table(header, stored_arrays), stored_arrays)
        _copy_permissions(target, temporary)
        temporary.replace(target)
        _sync_folder(target.parent)
    except BaseException as error:  # including Ctrl-C, which must not leave a temporary file
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise ModelFileError(f"cannot write {path}: {_os_error_reason(error)}.") from error
        raise


def read_container(path: str | Path, *, verify: bool = True) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the header and the arrays of a model file. The arrays are memory-mapped and read-only.

    verify: compare the digests of the arrays; everything else is always checked.
    Raises ModelFileError if the file is missing, not a model file, truncated, altered, or of a newer format.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            description, entries, start = _read_table(path, file, status.st_size)
            arrays = _map_arrays(path, file, entries, start, status.st_size)
        fingerprint = (str(path.resolve()), status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    except FileNotFoundError:
        raise ModelFileError(f"there is no file {path}.{_similar_file_hint(path) or ' Check the path.'}") from None
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {_os_error_reason(error)}.") from error
    if verify and fingerprint not in verified_files:
        for name, array in arrays.items():
            if array_digest(array) != description["digests"].get(name):
                raise _damaged_error(path, f"the bytes of {name!r} have changed")
        verified_files.add(fingerprint)
    if description["format"] == 1:
        return format_1.translate_header(description["header"]), format_1.translate_arrays(arrays)
    return description["header"], arrays


def read_library_version(path: str | Path) -> str:
    """Return the version of the library that saved a model file."""
    path = Path(path)
    with path.open("rb") as file:
        return str(_read_table(path, file, path.stat().st_size)[0]["version"])


def is_model_file(path: Path) -> bool:
    """Return whether a file begins like a model file: with the length of a JSON table, and the table."""
    try:
        with path.open("rb") as file:
            prefix = file.read(9)
    except OSError:
        return False
    return len(prefix) == 9 and prefix[8:] == b"{" and int.from_bytes(prefix[:8], "little") < path.stat().st_size


def _to_storable(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Return the array as it is stored, copied only if it is not contiguous. Raises ParameterError for its dtype."""
    array = np.asarray(array, order="C")
    if (dtype := array.dtype.newbyteorder("<")) not in _DTYPE_NAMES:
        dtype_names = ", ".join(map(str, _DTYPE_NAMES))
        raise ParameterError(f"array {name!r} is {array.dtype}; a model file can store {dtype_names}.")
    return array.astype(dtype, copy=False)


def _build_table(header: Mapping[str, Any], arrays: ArrayMapping) -> bytes:
    digests = {name: array_digest(array) for name, array in arrays.items()}
    description = {"format": FORMAT, "version": __version__, "header": header, "digests": digests}
    entries, end = {}, 0
    for name, array in arrays.items():
        offsets = [end, end := end + array.nbytes]
        entries[name] = {"dtype": _DTYPE_NAMES[array.dtype], "shape": list(array.shape), "data_offsets": offsets}
    text = json.dumps(description, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return encode_table({"__metadata__": {"alsatian": text, "digest": table_digest(text, entries)}, **entries})


def encode_table(table: Mapping[str, Any]) -> bytes:
    """Return the bytes of a table. Only this exact encoding is written and accepted."""
    text = json.dumps(table, separators=(",", ":")).encode()
    return text + b" " * (-len(text) % 8)


def table_digest(text: str, entries: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hexadecimal, of the description and of the entries of the arrays."""
    return hashlib.sha256(f"{text}\n{json.dumps(entries)}".encode()).hexdigest()


def _write_and_sync(path: Path, table: bytes, arrays: ArrayMapping) -> None:
    with path.open("xb") as file:
        file.write(len(table).to_bytes(8, "little") + table)
        for array in arrays.values():
            for chunk in _chunks(array):
                file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def _copy_permissions(old: Path, new: Path) -> None:
    """Give a file the permissions and, if the system allows it, the owner of the file that it replaces."""
    if old.exists():
        status = old.stat()
        with contextlib.suppress(OSError):
            os.chown(new, status.st_uid, status.st_gid)
        new.chmod(stat.S_IMODE(status.st_mode))


def _sync_folder(folder: Path) -> None:
    """Make the new file name durable, if the file system supports it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _read_table(path: Path, file: BinaryIO, size: int) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Return the description of the model, the entries of its arrays, and the offset where the arrays begin."""
    start = 8 + int.from_bytes(file.read(8), "little")
    if size < 10 or file.read(1) != b"{":
        raise ModelFileError(f"{path} is not a model file; pass a file that alsatian saved.")
    if start > size:
        raise ModelFileError(
            f"{path} is truncated: {size:,} bytes, and its table alone needs {start:,}; copy it again or retrain."
        )
    file.seek(8)
    table_bytes = file.read(start - 8)
    try:
        entries = json.loads(table_bytes)
        metadata = entries.pop("__metadata__", {})
        if "alsatian" not in metadata:
            raise ModelFileError(
                f"{path} is a safetensors file without an Alsatian model; pass a file that alsatian saved."
            )
        description = json.loads(metadata["alsatian"])
        if (version := description["format"]) > FORMAT:
            raise ModelFileError(f"{path} has format {version}; this version reads up to {FORMAT}. Upgrade alsatian.")
        is_intact = metadata["digest"] == table_digest(metadata["alsatian"], entries)
        if not is_intact or table_bytes != encode_table({"__metadata__": metadata, **entries}):
            raise _damaged_error(path, "its table has changed")
    except _MALFORMED_ERRORS:
        raise _damaged_error(path, "its table cannot be read") from None
    return description, entries, start


def _map_arrays(path: Path, file: BinaryIO, entries: Mapping[str, Any], start: int, size: int) -> dict[str, Any]:
    """Return read-only views into the mapped file, after checking that they cover it exactly."""
    file_bytes, arrays, end = np.asarray(np.memmap(file, np.uint8, "r")), {}, start
    try:
        for name, entry in entries.items():
            dtype, shape = np.dtype(_SAFETENSORS_DTYPES[entry["dtype"]]), tuple(entry["shape"])
            begin, end = end, end + math.prod(shape) * dtype.itemsize
            if [begin - start, end - start] != entry["data_offsets"] or min(shape, default=0) < 0:
                raise _damaged_error(path, f"the offsets of {name!r} are wrong")
            if end <= size:
                arrays[name] = file_bytes[begin:end].view(dtype).reshape(shape)
    except _MALFORMED_ERRORS:
        raise _damaged_error(path, "the description of its arrays is not valid") from None
    if end != size:
        raise _damaged_error(path, f"it has {size:,} bytes instead of {end:,}")
    return arrays


def _chunks(array: NDArray[Any]) -> Iterator[memoryview]:
    flat = array.reshape(-1).view(np.uint8)
    for begin in range(0, len(flat), _CHUNK_BYTES):
        yield flat[begin : begin + _CHUNK_BYTES].data


def array_digest(array: NDArray[Any]) -> str:
    """Return the SHA-256, in hexadecimal, of the bytes of an array."""
    sha = hashlib.sha256()
    for chunk in _chunks(array):
        sha.update(chunk)
    return sha.hexdigest()


def _damaged_error(path: Path, problem: str) -> ModelFileError:
    return ModelFileError(f"{path} is damaged: {problem}; copy it again or retrain.")


def _similar_file_hint(path: Path) -> str:
    with contextlib.suppress(OSError):
        return did_you_mean(path.name, [other.name for other in path.parent.iterdir() if other.is_file()])
    return f" The folder {path.parent} does not exist either."


def _os_error_reason(error: OSError) -> str:
    """Return the reason of a failed file operation, and what to do."""
    code = error.errno
    if code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        next_step = "free some space or choose another disk"
    elif code in (errno.EACCES, errno.EPERM, errno.EROFS):
        next_step = "choose a place where you have permission"
    else:
        next_step = "create the folder first" if code == errno.ENOENT else "check the path"
    return f"{error.strerror or error}; {next_step}"
