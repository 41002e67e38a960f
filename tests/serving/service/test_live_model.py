"""A new model takes its place without a dropped request; one that cannot be read does not."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

import alsatian as al
from alsatian.cli import run
from alsatian.errors import ModelFileError
from alsatian.serving import create_app
from alsatian.serving.service.live_model import LiveModel
from alsatian.serving.service.run_directory import run_directory
from serving.conftest import Server, Start, wait_for
from support import problems

ALICE = "/api/users/alice/recommendations"


def other_model() -> al.Popularity:
    return al.Popularity().fit(problems.running_example())


def model_in_service(server: Server) -> dict[str, object]:
    return dict(server.ask("/api/model")[1])


class TestCurrent:
    def test_takes_what_is_new_and_only_that(self, file: Path, tmp_path: Path) -> None:
        current = LiveModel(file)
        assert not current.refresh()
        al.save(other_model(), file)
        assert current.refresh()
        assert current.loaded_model.model.name == "popularity"
        assert not current.refresh()
        current.close()

    @pytest.mark.parametrize("content", [b"", b"nonsense", None], ids=["empty", "nonsense", "missing"])
    def test_the_old_one_answers_on(self, file: Path, content: bytes | None) -> None:
        current = LiveModel(file)
        before = current.loaded_model.model.recommend("alice").items
        if content is None:
            file.unlink()
        else:
            file.write_bytes(content)  # over the very bytes that were mapped, were they not a copy
        assert not current.refresh()
        assert not current.refresh()
        assert current.refusals == 1
        assert current.last_error is not None
        assert current.loaded_model.model.recommend("alice").items == before
        al.save(other_model(), file)
        assert current.refresh()
        assert current.last_error is None
        current.close()

    def test_a_disk_that_was_full_is_tried_again(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        current = LiveModel(file)
        al.save(other_model(), file)
        with monkeypatch.context() as full:
            full.setattr("shutil.copyfile", raise_no_space)
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
        current = LiveModel(file)
        for _ in range(3):
            al.save(other_model(), file)
            assert current.refresh()
        assert len(list(current.folder.glob("*.model"))) == 1
        current.close()
        assert not current.folder.exists()


def raise_no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_folder_that_somebody_else_removed_is_no_fault() -> None:
    with run_directory() as folder:
        shutil.rmtree(folder)
    assert not folder.exists()


class TestService:
    @pytest.mark.parametrize("workers", [1, 2])
    def test_swaps_without_a_dropped_request(self, file: Path, start: Start, workers: int) -> None:
        server = start(file, "--workers", workers)
        sources, failures, ended = set[str](), list[object](), threading.Event()

        def request_lists() -> None:
            while not ended.is_set():
                try:
                    status, answer = server.ask(ALICE)
                except OSError as error:
                    failures.append(error)
                    continue
                if status == 200:
                    sources.add(answer["items"][0]["source"])
                else:
                    failures.append(answer)

        clients = [threading.Thread(target=request_lists) for _ in range(4)]
        for client in clients:
            client.start()
        try:
            wait_for(lambda: sources == {"als"})
            al.save(other_model(), file)
            wait_for(lambda: server.metric("alsatian_model_reloads_total") == workers)
            wait_for(lambda: "popular" in sources)
            with file.open("r+b") as overwritten:  # not cut before, so that nobody sees it empty
                overwritten.write(b"nonsense")
            wait_for(lambda: server.metric("alsatian_model_reload_failures_total") == workers)
            assert model_in_service(server)["model"] == "popularity"
        finally:
            ended.set()
            for client in clients:
                client.join()
        assert failures == []
        assert sources == {"als", "popular"}
        assert "nonsense" not in server.end()

    def test_a_hangup_looks_again(self, file: Path, start: Start) -> None:
        server = start(file)
        loaded_at = model_in_service(server)["loaded_at"]
        server.signal(signal.SIGHUP)
        wait_for(lambda: model_in_service(server)["loaded_at"] != loaded_at)

    def test_a_worker_that_dies_is_replaced(self, file: Path, start: Start) -> None:
        server = start(file, "--workers", 2)
        first, second = server.workers()
        al.save(other_model(), file)
        wait_for(lambda: server.metric("alsatian_model_reloads_total") == 2)  # of both workers together
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: len({first, *server.workers()}) == 3)
        os.kill(second, signal.SIGKILL)
        wait_for(lambda: second not in server.workers())
        models = {model_in_service(server)["model"] for _ in range(8)}
        assert models == {"popularity"}  # not the one with which the service started
        wait_for(lambda: len(set(server.workers()) - {first, second}) == 2)
        replaced_at = time.time()

        def is_taken_anew_by_all() -> bool:
            server.signal(signal.SIGHUP)  # again and again, as a worker that still starts ignores it
            return (server.metric("alsatian_model_loaded_at_seconds") or 0) >= replaced_at

        wait_for(is_taken_anew_by_all)  # the least of all workers that run: the dead are not counted
        server.signal(signal.SIGKILL)
        wait_for(lambda: server.workers() == [])  # none outlives the process that keeps watch

    @pytest.mark.parametrize("workers", [1, 2])
    def test_ends_in_order(self, file: Path, start: Start, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
        (copies := file.parent / "copies").mkdir()
        monkeypatch.setenv("TMPDIR", str(copies))
        server = start(file, "--workers", workers)
        assert len(list(copies.glob("alsatian-serving-*"))) == 1
        written = server.end()
        assert server.process.returncode == 0
        assert list(copies.iterdir()) == []
        assert "Traceback" not in written
        assert f"serving {file} at http://127.0.0.1:{server.port}/" in written

    @pytest.mark.parametrize("workers", [1, 2])
    def test_the_folder_of_a_killed_service_goes_when_the_next_starts(
        self, file: Path, start: Start, workers: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (copies := file.parent / "copies").mkdir()
        monkeypatch.setenv("TMPDIR", str(copies))
        killed = start(file, "--workers", workers)
        (abandoned,) = copies.iterdir()
        start(file)
        assert abandoned.exists()  # it is in use
        killed.kill()
        start(file)
        assert len(list(copies.iterdir())) == 2
        assert not abandoned.exists()

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (["--host", "0.0.0.0"], "needs a token"),
            (["--port", "70000"], "--port 70000 is out of bounds"),
            (["--workers", "0"], "--workers 0 is out of bounds"),
            (["--event-log", "nonsense"], "--event-log is not a valid database URL"),
            (["--token-file", "/nowhere"], "cannot be read"),
        ],
    )
    def test_wrong_settings_are_refused_in_one_line(
        self, file: Path, options: list[str], says: str, capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.delenv("ALSATIAN_TOKEN", raising=False)
        assert run(["serve", str(file), *options]) == 2
        error = capsys.readouterr().err
        assert says in error
        assert error.count("\n") == 1

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
