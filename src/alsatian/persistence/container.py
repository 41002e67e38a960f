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
from alsatian.errors import ModelFileError, ParameterError, did_you_mean
from alsatian.persistence import format_1

FORMAT = 2  # 1: names of models, hyper-parameters and arrays as in format_1.py
_SAFETENSORS_DTYPES = {"F64": "<f8", "I64": "<i8", "F32": "<f4", "I32": "<i4", "U8": "|u1", "BOOL": "|b1"}
_DTYPE_NAMES = {np.dtype(dtype): name for name, dtype in _SAFETENSORS_DTYPES.items()}
_CHUNK_BYTES = 16 << 20  # bytes between two looks at Ctrl-C
_MALFORMED_ERRORS = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
)  # from a made-up table

ArrayMapping = Mapping[str, NDArray[Any]]

# Files whose arrays this process, or the one that it was forked from, has checked.
verified_files: set[tuple[str, int, int, int, int]] = set()


def write_container(path: str | Path, header: Mapping[str, Any], arrays: ArrayMapping) -> None:
    """Write one model file; whatever goes wrong, a file that was there before stays whole.

    header: what JSON can hold. arrays: float64, float32, int64, int32, uint8 or bool, of any shape.
    Equal input gives equal bytes. Raises ModelFileError when the file cannot be written.

    >>> write("tiny.model", {"model": "popularity"}, {"counts": np.array([3, 1])})  # doctest: +SKIP
    """
    target = Path(os.path.realpath(path))  # a link keeps pointing to the file that it pointed to
    if target.exists() and not target.is_file():
        raise ModelFileError(f"cannot write {path}: it is not an ordinary file; choose another name.")
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
    except BaseException as error:  # Ctrl-C too leaves nothing behind
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise ModelFileError(f"cannot write {path}: {_os_error_reason(error)}.") from error
        raise


def read_container(path: str | Path, *, verify: bool = True) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the header and the arrays of a model file. The arrays are mapped: read-only, and not in memory.

    With verify=False the digests of the arrays are not compared; all else is checked all the same.
    Raises ModelFileError when the file is missing, no model, cut short, altered or of a newer format.
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
                raise _damaged_error(path, f"the bytes of {name!r} are altered")
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
    """Tell whether a file begins like a model file: the length of a JSON table, and the table."""
    try:
        with path.open("rb") as file:
            prefix = file.read(9)
    except OSError:
        return False
    return len(prefix) == 9 and prefix[8:] == b"{" and int.from_bytes(prefix[:8], "little") < path.stat().st_size


def _to_storable(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Return the array as it will lie in the file; a copy only where it is not contiguous already."""
    array = np.asarray(array, order="C")
    if (dtype := array.dtype.newbyteorder("<")) not in _DTYPE_NAMES:
        dtype_names = ", ".join(str(dtype_names) for dtype_names in _DTYPE_NAMES)
        raise ParameterError(f"array {name!r} is {array.dtype}; a model file holds {dtype_names}.")
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
    """The one spelling of a table that is written and accepted."""
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
    """Give a file the rights and, where the system lets us, the owner of the one that it takes the place of."""
    if old.exists():
        status = old.stat()
        with contextlib.suppress(OSError):
            os.chown(new, status.st_uid, status.st_gid)
        new.chmod(stat.S_IMODE(status.st_mode))


def _sync_folder(folder: Path) -> None:
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
    table_bytes = file.read(start - 8)
    try:
        entries = json.loads(table_bytes)
        metadata = entries.pop("__metadata__", {})
        if "alsatian" not in metadata:
            raise ModelFileError(
                f"{path} is a safetensors file without an Alsatian model; give one that alsatian saved."
            )
        description = json.loads(metadata["alsatian"])
        if (version := description["format"]) > FORMAT:
            raise ModelFileError(f"{path} has format {version}, this library reads up to {FORMAT}; upgrade alsatian.")
        is_intact = metadata["digest"] == table_digest(metadata["alsatian"], entries)
        if not is_intact or table_bytes != encode_table({"__metadata__": metadata, **entries}):
            raise _damaged_error(path, "its table is altered")
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
                raise _damaged_error(path, f"the place of {name!r} is wrong")
            if end <= size:
                arrays[name] = file_bytes[begin:end].view(dtype).reshape(shape)
    except _MALFORMED_ERRORS:
        raise _damaged_error(path, "its arrays are described wrongly") from None
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
    return ModelFileError(f"{path} is damaged: {problem}; copy it again or train anew.")


def _similar_file_hint(path: Path) -> str:
    with contextlib.suppress(OSError):
        return did_you_mean(path.name, [other.name for other in path.parent.iterdir() if other.is_file()])
    return f" The folder {path.parent} does not exist either."


def _os_error_reason(error: OSError) -> str:
    """Say in words what the system refused, and what to do."""
    code = error.errno
    if code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        next_step = "free some space or choose another disk"
    elif code in (errno.EACCES, errno.EPERM, errno.EROFS):
        next_step = "choose a place where you have permission"
    else:
        next_step = "create the folder first" if code == errno.ENOENT else "check the path"
    return f"{error.strerror or error}; {next_step}"
