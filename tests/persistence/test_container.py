"""The model file: what is written comes back, and nothing damaged comes back in silence."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import random
import resource
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors import safe_open

import alsatian
from alsatian.errors import ModelFileError, ParameterError
from alsatian.persistence import container

HEADER = {"model": "explicit-als", "factors": 2, "reg": 0.05, "title": 'Amélie\n\x1f"', "seed": None}
ARRAYS = {
    "item_factors": np.arange(10, dtype=np.float32).reshape(5, 2),
    "seen.indptr": np.array([0, 2, 3, 3, 5]),
    "seen.indices": np.array([0, 4, 1, 2, 3], np.int32),
    "ids": np.frombuffer(b"upcars!", np.uint8),
    "valid": np.array([True, False, True]),
    "mean": np.array(3.5),
    "nothing": np.zeros((0, 2), np.float64),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "movies.model"
    container.write_container(path, HEADER, ARRAYS)
    return path


def equal_arrays(arrays: dict[str, Any], others: dict[str, Any]) -> bool:
    return arrays.keys() == others.keys() and all(
        (array.dtype, array.shape, array.tobytes()) == (others[n].dtype, others[n].shape, others[n].tobytes())
        for n, array in arrays.items()
    )


class TestRoundTrip:
    def test_what_is_written_comes_back(self, path: Path) -> None:
        header, arrays = container.read_container(path)
        assert header == HEADER
        assert equal_arrays(ARRAYS, arrays)

    def test_arrays_are_mapped_aligned_and_read_only(self, path: Path) -> None:
        _, arrays = container.read_container(path)
        for array in arrays.values():
            assert array.flags.aligned
            assert not array.flags.writeable
            assert not array.flags.owndata

    def test_equal_input_gives_equal_bytes_and_overwrites(self, path: Path) -> None:
        before = path.read_bytes()
        container.write_container(path, dict(reversed(HEADER.items())), dict(reversed(ARRAYS.items())))
        assert path.read_bytes() == before
        container.write_container(path, HEADER | {"seed": 7}, ARRAYS)
        assert container.read_container(path)[0]["seed"] == 7
        assert [file.name for file in path.parent.iterdir()] == ["movies.model"]

    def test_any_safetensors_reader_opens_it(self, path: Path) -> None:
        with safe_open(path, "numpy") as file:
            assert equal_arrays(ARRAYS, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
            about = json.loads(file.metadata()["alsatian"])
        assert (about["format"], about["header"]) == (container.FORMAT, HEADER)
        assert about["digests"].keys() == ARRAYS.keys()

    def test_what_looks_like_a_model_and_its_version(self, path: Path) -> None:
        (other := path.with_name("other")).write_text("user,item\n1,2\n")
        assert [container.is_model_file(file) for file in (path, other, path.parent)] == [True, False, False]
        assert container.read_library_version(path) == alsatian.__version__

    def test_other_layouts_are_stored_plainly(self, tmp_path: Path) -> None:
        inputs = {
            "turned": np.arange(6.0).reshape(2, 3).T,
            "big": np.arange(3, dtype=">i4"),
            "part": np.arange(9)[::2],
        }
        container.write_container(tmp_path / "m", {}, inputs)
        _, arrays = container.read_container(tmp_path / "m")
        assert all(np.array_equal(arrays[name], inputs[name]) for name in inputs)

    def test_a_link_keeps_pointing_to_its_file(self, path: Path) -> None:
        link = path.with_name("current.model")
        link.symlink_to(path.name)
        container.write_container(link, {"model": "new"}, {})
        assert link.is_symlink()
        assert container.read_container(path)[0] == {"model": "new"}

    def test_foreign_types_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ParameterError, match="array 'half' is float16; a model file can store float64, int64"):
            container.write_container(tmp_path / "m", {}, {"half": np.zeros(2, np.float16)})

    @settings(max_examples=40, deadline=None)
    @given(
        header=st.dictionaries(
            st.text(),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers()
                | st.floats(allow_nan=False, allow_infinity=False)
                | st.text(),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
                max_leaves=6,
            ),
            max_size=4,
        ),
        arrays=st.dictionaries(
            st.text(min_size=1, max_size=8),
            st.sampled_from(["f4", "f8", "i4", "i8", "u1", "?"]).flatmap(
                lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
            ),
            max_size=4,
        ),
    )
    def test_any_header_and_arrays(
        self, tmp_path_factory: pytest.TempPathFactory, header: dict[str, Any], arrays: dict[str, Any]
    ) -> None:
        path = tmp_path_factory.mktemp("any") / "m"
        container.write_container(path, header, arrays)
        header_read, back = container.read_container(path)
        assert header_read == header
        assert equal_arrays(arrays, back)


class TestDamage:
    def test_every_flipped_bit_is_noticed(self, path: Path, tmp_path: Path) -> None:
        whole, copy, chance = path.read_bytes(), tmp_path / "copy", random.Random(0)
        start = 8 + int.from_bytes(whole[:8], "little")
        bits = chance.sample(range(8 * 8), 64) + chance.sample(range(64, 8 * start), 500)
        bits += list(range(8 * (start - 16), 8 * len(whole)))  # the padding and all arrays
        for bit in bits:
            flipped = bytearray(whole)
            flipped[bit // 8] ^= 1 << bit % 8
            copy.write_bytes(flipped)
            container.verified_files.clear()  # a file rewritten within one tick of the clock looks the same
            with pytest.raises(ModelFileError) as raised:
                container.read_container(copy)
            assert "\n" not in str(raised.value)

    def test_every_truncation_is_noticed(self, path: Path, tmp_path: Path) -> None:
        whole, copy = path.read_bytes(), tmp_path / "copy"
        for length in range(len(whole)):
            copy.write_bytes(whole[:length])
            with pytest.raises(ModelFileError, match=r"is damaged|is truncated|is not a model file"):
                container.read_container(copy)

    def test_the_message_says_what_is_damaged(self, path: Path) -> None:
        whole = path.read_bytes()
        path.write_bytes(whole[:-1])
        with pytest.raises(ModelFileError, match=rf"has {len(whole) - 1:,} bytes instead of {len(whole):,}; copy it"):
            container.read_container(path)
        path.write_bytes(whole[:-1] + b"\x07")
        with pytest.raises(ModelFileError, match=r"movies.model is damaged: the bytes of 'valid' have changed; copy"):
            container.read_container(path)
        path.write_bytes(whole[:1000])
        with pytest.raises(ModelFileError, match=r"is truncated: 1,000 bytes, and its table alone needs \d,"):
            container.read_container(path)
        path.write_bytes(whole + b"x")
        with pytest.raises(ModelFileError, match="bytes instead of"):
            container.read_container(path)

    def test_digests_are_compared_once_per_process_tree(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        container.read_container(path)
        monkeypatch.setattr(container, "array_digest", lambda _: "compared again")
        container.read_container(path)
        if "fork" in multiprocessing.get_all_start_methods():
            worker = multiprocessing.get_context("fork").Process(target=container.read_container, args=(path,))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the test runner may have threads; the worker does without
                worker.start()
            worker.join()
            assert worker.exitcode == 0
        os.utime(path, ns=(1, 1))
        with pytest.raises(ModelFileError, match="have changed"):
            container.read_container(path)
        container.read_container(path, verify=False)

    @pytest.mark.parametrize(
        "content", [b"", b"x", b"user,item\n1,2\n", b"\x80\x04\x95 a pickle", bytes(100), b"\xff" * 100]
    )
    def test_other_files_are_no_models(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "other").write_bytes(content)
        with pytest.raises(ModelFileError, match="other is not a model file; pass a file that alsatian saved"):
            container.read_container(tmp_path / "other")

    def test_a_foreign_safetensors_file(self, tmp_path: Path) -> None:
        from safetensors.numpy import save_file

        save_file({"x": np.zeros(3)}, tmp_path / "other")
        with pytest.raises(ModelFileError, match="a safetensors file without an Alsatian model"):
            container.read_container(tmp_path / "other")

    def test_a_newer_format(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as later:
            later.setattr(container, "FORMAT", 3)
            container.write_container(tmp_path / "new.model", {}, {})
        with pytest.raises(ModelFileError, match=r"has format 3; this version reads up to 2\. Upgrade alsatian"):
            container.read_container(tmp_path / "new.model")

    @pytest.mark.usefixtures("path")
    def test_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(ModelFileError, match=r"there is no file .*movie\.model\. Did you mean 'movies\.model'\?"):
            container.read_container(tmp_path / "movie.model")
        with pytest.raises(ModelFileError, match=r"The folder .*nowhere does not exist either"):
            container.read_container(tmp_path / "nowhere" / "movies.model")
        with pytest.raises(ModelFileError, match="Is a directory; check the path"):
            container.read_container(tmp_path)

    @pytest.mark.parametrize(
        "entry",
        [
            {"dtype": "F64", "shape": [2], "data_offsets": [8, 24]},
            {"dtype": "F64", "shape": [-2], "data_offsets": [0, -16]},
            {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]},
            {"dtype": "F64", "shape": "2", "data_offsets": [0, 16]},
            {"dtype": "F64"},
            [],
        ],
    )
    def test_a_made_up_table_with_right_digests(self, path: Path, entry: Any) -> None:
        text = json.dumps({"format": 1, "header": {}, "digests": {}})
        metadata = {"alsatian": text, "digest": container.table_digest(text, {"x": entry})}
        table = container.encode_table({"__metadata__": metadata, "x": entry})
        path.write_bytes(len(table).to_bytes(8, "little") + table + bytes(16))
        with pytest.raises(ModelFileError, match="is damaged"):
            container.read_container(path)


class TestFailedWrites:
    """Whatever goes wrong, the old file stays whole and nothing else is left."""

    @pytest.fixture(autouse=True)
    def _unchanged(self, path: Path) -> Any:
        before = path.read_bytes()
        yield
        assert path.read_bytes() == before
        assert [file.name for file in path.parent.iterdir()] == ["movies.model"]

    def test_a_disk_without_room(self, path: Path) -> None:
        """A real refusal by the kernel, at a limit of 64 KiB a file."""
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, limits[1]))
        try:
            with pytest.raises(ModelFileError, match=r"cannot write .*movies.model: File too large; free some space"):
                container.write_container(path, {}, {"factors": np.zeros(100_000)})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    def test_a_disk_that_is_full_when_flushed(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(_: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(ModelFileError, match=r"No space left on device; free some space or choose another disk\."):
            container.write_container(path, {}, {})

    def test_ctrl_c(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(_: int) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            container.write_container(path, {}, ARRAYS)

    def test_a_missing_or_forbidden_folder(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(ModelFileError, match="No such file or directory; create the folder first"):
            container.write_container(path.parent / "nowhere" / "m", {}, {})
        with pytest.raises(ModelFileError, match="Not a directory; check the path"):
            container.write_container(path / "m", {}, {})

        def forbidden(*_: Any) -> None:  # the superuser may write anywhere, so the refusal is played
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(Path, "open", forbidden)
        with pytest.raises(ModelFileError, match="Permission denied; choose a place where you have permission"):
            container.write_container(path, {}, {})

    def test_what_is_no_ordinary_file(self, path: Path) -> None:
        for other in (path.parent, Path("/dev/full")):
            with pytest.raises(ModelFileError, match="it is not a regular file; choose another name"):
                container.write_container(other, {}, {})

    def test_a_header_that_json_cannot_hold(self, path: Path) -> None:
        with pytest.raises(ValueError, match="not JSON compliant"):
            container.write_container(path, {"reg": float("nan")}, {})
