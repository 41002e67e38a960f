"""The short way through a text file gives what the careful one does, or leaves the file to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alsatian.data.interactions import Interactions
from alsatian.errors import DataError
from alsatian.ingest import read
from alsatian.ingest.rows import fast_csv, validation
from alsatian.ingest.rows.fast_csv import scan_columns

TEXT = "user,item,rating,timestamp\n30,7,2.5,1000000060\n4,9,4,1000000000\n30,9,5,1000000120\n30,7,3,1000000050\n"


def careful(*arguments: Any) -> None:
    return None


def both(path: Any, monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> tuple[list[Any], list[Any]]:
    """Read with and without the scan; say of each whether it was used, and all that came out."""
    used: list[bool] = []

    def watched(*arguments: Any) -> Any:
        columns = scan_columns(*arguments)
        used.append(columns is not None)
        return columns

    outcomes = []
    for way in (watched, careful):
        monkeypatch.setattr(validation, "scan_columns", way)
        try:
            data = read(path, **arguments)
            times = None if data.times is None else data.times.tolist()
            outcomes.append([data.digest, data.scale, times, data.report, data.recipe, data.user_ids.kind])
        except DataError as error:
            outcomes.append([str(error)])
    return [used, *outcomes[0]], [used, *outcomes[1]]


@pytest.mark.parametrize(
    ("name", "text", "arguments"),
    [
        ("plain.csv", TEXT, {}),
        ("plain.csv", TEXT, {"duplicates": "mean", "time": ""}),
        ("plain.csv", TEXT, {"scale": (0.5, 5), "weight": "rating", "value": ""}),
        ("plain.csv", TEXT, {"time": "", "value": ""}),
        ("unended.csv", TEXT[:-1], {}),
        ("windows.csv", TEXT.replace("\n", "\r\n"), {}),
        ("marked.csv", "\ufeff" + TEXT, {}),
        ("quoted-header.csv", TEXT.replace("user,item", '"user","item"'), {}),
        ("header-é.csv", TEXT.replace("timestamp", "Gerät"), {"time": ""}),
        ("ratings.dat", TEXT.partition("\n")[2].replace(",", "::"), {}),
        ("tabs.tsv", TEXT.replace(",", "\t"), {}),
        ("milliseconds.csv", TEXT.replace("10000000", "10000000000"), {}),
        ("old.csv", TEXT.replace("10000000", "100"), {}),
        ("notes.csv", TEXT.replace("timestamp", "note").replace(",1000000060", ",it's: fine; 7"), {}),
        ("long.csv", TEXT.replace("30,", "3000000000,"), {}),
        ("huge.csv", TEXT.replace("30,", "900000000000000000,"), {}),
        ("decimals.csv", TEXT.replace("2.5", "3.14159265358979e0"), {"value": "rating"}),
    ],
)
def test_plain_files_are_scanned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, arguments: dict[str, Any]
) -> None:
    (tmp_path / name).write_bytes(text.encode())
    scanned, carefully = both(tmp_path / name, monkeypatch, **arguments)
    assert scanned[0] == [True]
    assert scanned == carefully


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        (TEXT.replace("2.5", "abc"), {}),
        (TEXT.replace("2.5", "abc"), {"bad_rows": "skip"}),
        (TEXT.replace("2.5", ""), {}),
        (TEXT.replace("2.5,", ""), {}),
        (TEXT.replace("2.5", "nan"), {}),
        (TEXT, {"scale": (3, 5)}),
        (TEXT.replace(",2.5", ",-2.5"), {"weight": "rating", "value": ""}),
        (TEXT.replace("4,9", "04,9"), {}),
        (TEXT.replace("4,9", "x,9"), {}),
        (TEXT.replace("4,9", "4.0,9"), {}),
        (TEXT.replace("4,9", '"4",9'), {}),
        (TEXT.replace("4,9", "99999999999999999999,9"), {}),
        (TEXT.replace("1000000000", "2001-09-09"), {}),
        (TEXT.replace("1000000000", "10000000000000000"), {}),
        (TEXT.replace("\n4", "\n\n4"), {}),
        (TEXT.replace("\n4", "\r\n4"), {}),
        ("\n" + TEXT, {}),
        ('"us\ner"' + TEXT[4:], {"user": "us\ner"}),
        (TEXT.splitlines()[0], {}),
        (TEXT, {"where": "rating > 3"}),
        (TEXT, {"title": "timestamp", "time": ""}),
    ],
)
def test_all_others_are_left_to_the_careful_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, arguments: dict[str, Any]
) -> None:
    (tmp_path / "r.csv").write_bytes(text.encode())
    scanned, carefully = both(tmp_path / "r.csv", monkeypatch, **arguments)
    assert scanned[0] in ([False], [])
    assert scanned == carefully


def test_several_files_and_small_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    for day in range(3):
        lines = [f"{u},{i},{v / 2}" for u, i, v in rng.integers(1, [50, 3000, 11], size=(500, 3))]
        (tmp_path / f"{day}.csv").write_text("\n".join(["user,item,rating", *lines]))
    monkeypatch.setattr(fast_csv, "CHUNK_BYTES", 64)
    scanned, carefully = both(f"{tmp_path}/*.csv", monkeypatch)
    assert scanned[0] == [True]
    assert scanned == carefully
    (tmp_path / "3.csv").write_text("user,item,rating\n")
    assert both(f"{tmp_path}/*.csv", monkeypatch)[0][1:] == scanned[1:]


def test_the_number_of_threads_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "r.csv").write_text(TEXT)
    monkeypatch.setattr(fast_csv, "CHUNK_BYTES", 16)
    digests = set()
    for threads in (1, 2, 3):
        monkeypatch.setenv("ALSATIAN_THREADS", str(threads))
        interactions: Interactions = read(tmp_path / "r.csv")
        digests.add(interactions.digest)
    assert len(digests) == 1
