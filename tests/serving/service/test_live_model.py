"""A new model takes its place without a dropped request; one that cannot be read does not."""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

import alsatian as al
from alsatian.cli import run
from alsatian.errors import ModelFileError
from alsatian.serving import create_app
from alsatian.serving.service.live_model import Current
from alsatian.serving.service.run_directory import workplace
from serving.conftest import Server, Start, is_ready, wait_for
from support import problems

ALICE = "/api/users/alice/recommendations"


def other_model() -> al.Popularity:
    return al.Popularity().fit(problems.running_example())


def about(server: Server) -> dict[str, object]:
    return dict(server.ask("/api/model")[1])


def metrics(server: Server) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=60) as figures:
        return str(figures.read(), "utf-8")


def in_service_since(server: Server) -> float:
    found = re.search(r"^alsatian_model_since_seconds (\S+)$", metrics(server), re.MULTILINE)
    assert found is not None
    return float(found[1])


def swapped(server: Server) -> bool:
    """Tell whether every worker took another model; so many questions come to all of them."""
    return all(about(server)["swaps"] == 1 for _ in range(60))


class TestCurrent:
    def test_takes_what_is_new_and_only_that(self, file: Path, tmp_path: Path) -> None:
        current = Current(file)
        assert not current.refresh()
        al.save(other_model(), file)
        assert current.refresh()
        assert current.served.model.name == "popularity"
        assert not current.refresh()
        current.close()

    @pytest.mark.parametrize("content", [b"", b"nonsense", None], ids=["empty", "nonsense", "missing"])
    def test_the_old_one_answers_on(self, file: Path, content: bytes | None) -> None:
        current = Current(file)
        before = current.served.model.recommend("alice").items
        if content is None:
            file.unlink()
        else:
            file.write_bytes(content)  # over the very bytes that were mapped, were they not a copy
        assert not current.refresh()
        assert not current.refresh()
        assert current.refusals == 1
        assert current.trouble is not None
        assert current.served.model.recommend("alice").items == before
        al.save(other_model(), file)
        assert current.refresh()
        assert current.trouble is None
        current.close()

    def test_a_disk_that_was_full_is_tried_again(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        current = Current(file)
        al.save(other_model(), file)
        with monkeypatch.context() as full:
            full.setattr("shutil.copyfile", lambda *_: os.open("/dev/full/none", os.O_RDONLY))
            assert not current.refresh()
            assert not current.refresh()
        assert current.refusals == 1
        assert not current.refresh()  # not at once
        monkeypatch.setattr(
            "alsatian.serving.service.live_model.time", SimpleNamespace(time=time.time, monotonic=lambda: 1e12)
        )
        assert current.refresh()
        current.close()

    def test_leaves_nothing_behind(self, file: Path) -> None:
        current = Current(file)
        for _ in range(3):
            al.save(other_model(), file)
            assert current.refresh()
        assert len(list(current.folder.glob("*.model"))) == 1
        current.close()
        assert not current.folder.exists()


def test_a_folder_that_somebody_else_removed_is_no_fault() -> None:
    with workplace() as folder:
        shutil.rmtree(folder)
    assert not folder.exists()


class TestService:
    @pytest.mark.parametrize("workers", [1, 2])
    def test_swaps_without_a_dropped_request(self, file: Path, start: Start, workers: int) -> None:
        server = start(file, "--workers", workers)
        names, failures, ended = set[str](), list[object](), threading.Event()

        def ask() -> None:
            while not ended.is_set():
                try:
                    status, told = server.ask(ALICE)
                except OSError as error:
                    failures.append(error)
                    continue
                if status != 200:
                    failures.append(told)
                names.add(told["items"][0]["source"])

        askers = [threading.Thread(target=ask) for _ in range(4)]
        for asker in askers:
            asker.start()
        al.save(other_model(), file)
        wait_for(lambda: swapped(server))
        file.write_bytes(b"nonsense")
        time.sleep(0.6)
        assert about(server)["model"] == "popularity"
        ended.set()
        for asker in askers:
            asker.join()
        assert failures == []
        assert names >= {"popular"}
        assert "nonsense" not in server.end()

    def test_a_hangup_looks_again(self, file: Path, start: Start) -> None:
        server = start(file)
        since = about(server)["since"]
        server.signal(signal.SIGHUP)
        wait_for(lambda: about(server)["since"] != since)

    def test_a_worker_that_dies_is_replaced(self, file: Path, start: Start) -> None:
        server = start(file, "--workers", 2)
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        before = children.read_text().split()
        assert len(before) == 2
        al.save(other_model(), file)
        wait_for(lambda: swapped(server))
        assert "alsatian_model_swaps_total 2.0" in metrics(server)  # of both workers together
        os.kill(int(before[0]), signal.SIGKILL)
        wait_for(lambda: len(set(children.read_text().split()) | {before[0]}) == 3)
        os.kill(int(before[1]), signal.SIGKILL)
        assert {about(server)["model"] for _ in range(8)} == {"popularity"}  # not what the first had at their start
        wait_for(lambda: len(set(children.read_text().split()) - set(before)) == 2)
        at = time.time()
        server.signal(signal.SIGHUP)
        wait_for(lambda: in_service_since(server) >= at)  # the dead are not counted
        server.signal(signal.SIGKILL)  # and none outlives who keeps watch
        wait_for(lambda: not is_ready(server))

    @pytest.mark.parametrize("workers", [1, 2])
    def test_ends_in_order(self, file: Path, start: Start, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
        (copies := file.parent / "copies").mkdir()
        monkeypatch.setenv("TMPDIR", str(copies))
        server = start(file, "--workers", workers)
        assert len(list(copies.glob("alsatian-serving-*"))) == 1
        said = server.end()
        assert server.process.returncode == 0
        assert list(copies.iterdir()) == []
        assert "Traceback" not in said
        assert f"serving {file} at http://127.0.0.1:{server.port}/" in said

    @pytest.mark.parametrize("workers", [1, 2])
    def test_what_a_killed_one_left_goes_with_the_next(
        self, file: Path, start: Start, workers: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (copies := file.parent / "copies").mkdir()
        monkeypatch.setenv("TMPDIR", str(copies))
        killed = start(file, "--workers", workers)
        (abandoned,) = copies.iterdir()
        start(file)
        assert abandoned.exists()  # it is in use
        os.killpg(killed.process.pid, signal.SIGKILL)
        killed.process.wait()
        start(file)
        assert len(list(copies.iterdir())) == 2
        assert not abandoned.exists()

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (["--host", "0.0.0.0"], "needs a token"),
            (["--port", "70000"], "--port 70000 is out of bounds"),
            (["--workers", "0"], "--workers 0 is out of bounds"),
            (["--events", "nonsense"], "--events is no URL"),
            (["--token-file", "/nowhere"], "cannot be read"),
        ],
    )
    def test_what_cannot_be_served_is_said_in_one_line(
        self, file: Path, options: list[str], says: str, capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.delenv("ALSATIAN_TOKEN", raising=False)
        assert run(["serve", str(file), *options]) == 2
        said = capsys.readouterr().err
        assert says in said
        assert said.count("\n") == 1

    def test_a_file_that_is_no_model(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "x.model").write_text("nonsense")
        (copies := tmp_path / "copies").mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(copies))
        assert run(["serve", str(tmp_path / "x.model"), "--port", "0"]) == 1
        assert capsys.readouterr().err.count("\n") == 1
        with pytest.raises(ModelFileError):
            create_app(tmp_path / "x.model")
        assert list(copies.iterdir()) == []
