"""Plain text into columns: the scan equals its twin, and gives up where the twin does."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alsatian import kernels
from alsatian.kernels.types import TextFile
from support import twins

TYPES = [np.int32, None, np.float32, np.int64]
Outcome = tuple[Any, bool, list[list[Any]]]


def outcome(kernel: Any, path: Path, chunk: int, types: list[Any], threads: int = 2, **layout: Any) -> Outcome:
    """Return where chunks begin, whether all lines were plain, and if they were, the columns."""
    settings = {"delimiter": ",", "quote": ord('"'), "header": False, "carriage_returns": False} | layout
    with path.open("rb") as file:
        text = TextFile(file.fileno(), path.stat().st_size, chunk, **settings)
        starts = kernel.count_lines(text.file, text.size, chunk, threads)
        lines = max(0, int(starts[-1]) - text.header)
        columns = [None if kind is None else np.zeros(lines, kind) for kind in types]
        plain = kernel.read_fields(text, starts, columns, threads)
    return starts.tolist(), plain, [column.tolist() for column in columns if plain and column is not None]


def test_fields_of_every_type(kernel: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("a,b,c,d\n7,x y,2.5,1000000000000\n-3,,1e-3,0\n")
    for chunk in (1, 3, 8, 100):
        _, plain, columns = outcome(kernel, path, chunk, TYPES, header=True)
        assert plain
        assert columns == [[7, -3], [2.5, float(np.float32(1e-3))], [10**12, 0]]


@pytest.mark.parametrize(
    "line",
    [
        *("x,,1,1", ",,1,1", "07,,1,1", "+7,,1,1", "-0,,1,1", " 7,,1,1", "7 ,,1,1", "7.0,,1,1", "1_0,,1,1", "--1,,1,1"),
        *(
            "2147483648,,1,1",
            "1,,1,1000000000000000000",
            "1,,1,",
            "1,,,1",
            "1,,.5,1",
            "1,,5.,1",
            "1,,1.5x,1",
            "1,,nan,1",
        ),
        *(
            "1,,inf,1",
            "1,,1e39,1",
            "1,,1e,1",
            "1,,-,1",
            '1,"a",1,1',
            "1,é,1,1",
            "1,\t,1,1",
            "1,\0,1,1",
            "1,,1",
            "1,,1,1,1",
        ),
        *("", "1,,1,1\r", "1\r,,1,1", "1,,0x1,1", "1,,1 ,1"),
    ],
)
def test_what_is_not_plain_is_left_alone(kernel: ModuleType, tmp_path: Path, line: str) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(f"1,a,1,1\n{line}\n2,b,2,2\n".encode())
    for implementation in (kernel, twins):
        assert not outcome(implementation, path, 10, TYPES)[1]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-(2**31), 2**31 - 1), st.text("ab; :", max_size=9), st.floats(width=32)), min_size=1
    ),
    st.sampled_from(["::", ";", ":", "|"]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.integers(1, 50),
)
def test_it_equals_its_twin(
    kernel: ModuleType, tmp_path: Path, rows: list[Any], delimiter: str, ending: str, ended: bool, chunk: int
) -> None:
    path = tmp_path / "r.csv"
    lines = [delimiter.join((str(user), note, f"{value!r}")) for user, note, value in rows]
    path.write_bytes((ending.join(lines) + (ending if ended else "")).encode())
    layout = {"delimiter": delimiter, "carriage_returns": ending == "\r\n"}
    types = [np.int32, None, np.float32]
    assert outcome(kernel, path, chunk, types, **layout) == outcome(twins, path, chunk, types, **layout)


def test_numbers_are_the_nearest_floats(kernel: ModuleType, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    written = [f"{n:.{d}f}" for n, d in zip(rng.normal(0, 1000, 3000), rng.integers(0, 12, 3000), strict=True)]
    written += ["16777215", "16777217", "0.16777217", "3.4028235e38", "1e-40", "-0", "-0.0", "8388608.5", "8388609.5"]
    path = tmp_path / "r.csv"
    path.write_text("".join(f"{text},\n" for text in written))
    _, plain, (values,) = outcome(kernel, path, 1000, [np.float32, None])
    assert plain
    assert np.array_equal(np.array(values, np.float32), np.array(written).astype(np.float32))


def test_a_line_that_reaches_far_beyond_its_chunk(kernel: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(f"1,{'a' * 1000}\n2,b\n")
    assert outcome(kernel, path, 10, [np.int32, None])[2] == [[1, 2]]
    path.write_text(f"1,{'a' * 70_000}\n2,b\n")
    assert not outcome(kernel, path, 10, [np.int32, None])[1]


def test_a_file_that_shrinks_meanwhile(kernel: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("1\n2\n3\n")
    with path.open("rb") as file:
        assert kernels.count_lines(file.fileno(), 10) is None
        text = TextFile(file.fileno(), 6, 4, ",", -1, False, False)
        starts, column = kernels.count_lines(text.file, text.size, text.chunk), np.zeros(3, np.int32)
        assert starts is not None
        assert kernels.read_fields(text, starts, [column])
        path.write_text("1\n222\n")
        assert not kernels.read_fields(text, starts, [column])
        path.write_text("1\n")
        assert not kernels.read_fields(text, starts, [column])


def test_arguments_are_checked(build: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("1\n2\n")
    with path.open("rb") as file:
        number = file.fileno()
        starts = np.zeros(2, np.int64)
        assert build.count_lines(number, 4, 10, starts, 1)
        right: dict[str, Any] = {"text": TextFile(number, 4, 10, ",", -1, header=False, carriage_returns=False)}
        right |= {"starts": starts, "columns": [np.zeros(2, np.int32)], "threads": 1}
        assert build.read_fields(**right)
        for changes, message in (
            ({"text": right["text"]._replace(size=0)}, "must be positive"),
            ({"text": right["text"]._replace(chunk=0)}, "must be positive"),
            ({"text": right["text"]._replace(chunk=1)}, "chunks \\+ 1"),
            ({"starts": np.array([1, 0])}, "must not descend"),
            ({"starts": np.array([-1, 2])}, "must not descend"),
            ({"text": right["text"]._replace(delimiter="")}, "1 to 15 bytes"),
            ({"columns": []}, "must not be empty"),
            ({"columns": [np.zeros(2, np.int16)]}, "int32, int64 or float32"),
            ({"columns": [np.zeros(1, np.int32)]}, "one element per line"),
            ({"threads": 0}, "threads"),
        ):
            with pytest.raises(ValueError, match=message):
                build.read_fields(**right | changes)
        for size, chunk, threads in ((0, 1, 1), (4, 0, 1), (4, 1, 1), (4, 10, 0)):
            with pytest.raises(ValueError, match=r"positive|chunks|threads"):
                build.count_lines(number, size, chunk, starts, threads)
