"""Who may write, how much may be sent, how long anything may take, and what answers carry."""

from __future__ import annotations

import logging
import socket
import threading
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from alsatian.errors import ParameterError
from alsatian.serving import create_app
from alsatian.serving.settings import ServiceSettings
from serving.conftest import Start

TOKEN = "0123456789abcdef0123"
EVENT = {"user": "alice", "item": "heat", "value": 5}


def client_of(file: Path, host: str = "http://localhost", **settings: object) -> TestClient:
    return TestClient(create_app(file, **settings), base_url=host, raise_server_exceptions=False)


class TestToken:
    def test_other_machines_are_let_in_with_a_token_only(self) -> None:
        with pytest.raises(ParameterError, match="--token-file"):
            ServiceSettings(Path("m"), host="0.0.0.0")
        with pytest.raises(ParameterError, match="at least 16 printable ASCII"):
            ServiceSettings(Path("m"), host="0.0.0.0", token="short")
        assert ServiceSettings(Path("m"), host="::1").token is None
        assert ServiceSettings(Path("m"), host="0.0.0.0", token=TOKEN).token == TOKEN

    @pytest.mark.parametrize("path", ["/api/events", "/api/events/batch", "/api/model/reload"])
    def test_writing_and_administration_ask_for_it(self, file: Path, path: str) -> None:
        body = {"events": [EVENT]} if path.endswith("batch") else EVENT
        with client_of(file, token=TOKEN) as client:
            for header in ("", "Bearer", f"Basic {TOKEN}", "Bearer wrong", f"Bearer {TOKEN}x", "Bearer \u00e9"):
                refused = client.post(path, json=body, headers={"Authorization": header.encode()})
                assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
            assert client.post(path, json=body, headers={"Authorization": f"Bearer {TOKEN}"}).status_code < 300
            assert client.get("/api/users/alice/recommendations").status_code == 200

    def test_without_one_a_foreign_name_of_this_machine_may_not_write(self, file: Path) -> None:
        with client_of(file, "http://evil.example:8000") as client:
            assert client.post("/api/events", json=EVENT).status_code == 421
            assert client.get("/api/users/alice/recommendations").status_code == 200
        for host in ("http://127.0.0.1:8000", "http://[::1]:8000", "http://localhost"):
            with client_of(file, host) as client:
                assert client.post("/api/events", json=EVENT).status_code == 202

    @pytest.mark.parametrize("path", ["/api/events", "/api/model/reload", "/rate?user=alice&item=heat&value=5"])
    def test_without_one_a_foreign_page_may_not_write(self, client: TestClient, path: str) -> None:
        own, page = {"Origin": "http://localhost"}, {"HX-Request": "true"}
        for origin in ("http://evil.example", "http://localhost:81", "null"):
            assert client.post(path, json=EVENT, headers=page | {"Origin": origin}).status_code == 403
        assert client.post(path, json=EVENT, headers=page | own).status_code < 300

    def test_what_a_foreign_page_can_send_is_no_event(self, client: TestClient) -> None:
        plain = {"content-type": "text/plain"}
        assert client.post("/api/events", content='{"user": 1, "item": 2}', headers=plain).status_code == 422


def is_closed(connection: socket.socket) -> bool:
    """Wait for an answer or the end of a connection; tell whether it is the end, in order or by a reset."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


class TestLimits:
    def test_large_bodies(self, file: Path) -> None:
        with client_of(file, max_body_bytes=1_000) as client:
            body = b'{"history": ["' + b"x" * 2_000 + b'"]}'
            headers = {"content-type": "application/json"}
            assert client.post("/api/recommendations", content=body, headers=headers).status_code == 413
            chunks = (body[at : at + 100] for at in range(0, len(body), 100))
            assert client.post("/api/recommendations", content=chunks, headers=headers).status_code == 413

    def test_long_lists(self, client: TestClient) -> None:
        for body in ({"history": ["up"] * 1_001}, {"history": ["up"], "deny": ["up"] * 1_001}):
            assert client.post("/api/recommendations", json=body).status_code == 422
        assert client.post("/api/events/batch", json={"events": [EVENT] * 1_001}).status_code == 422

    def test_an_answer_that_takes_too_long(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        refused = threading.Event()
        with client_of(file, response_timeout=0.05, request_timeout=0.05) as client:
            monkeypatch.setattr(client.app.state.service, "recommend_to_user", lambda *_: refused.wait(60))  # type: ignore[attr-defined]
            slow = client.get("/api/users/alice/recommendations?reasons=true")
            refused.set()
        assert (slow.status_code, slow.headers["retry-after"]) == (503, "5")

    def test_clients_that_send_too_much_or_too_slowly_do_no_harm(self, file: Path, start: Start) -> None:
        server = start(file)
        address = ("127.0.0.1", server.port)
        with socket.create_connection(address, timeout=60) as large:
            large.sendall(b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 900) for n in range(40)))
            assert is_closed(large)  # before the request was whole
        for begin in (b"GET /?", b"GET / HTTP/1.1\r\nX: "):  # an address, or a header, without end
            with (
                socket.create_connection(address, timeout=60) as large,
                pytest.raises(OSError, match=r"reset|pipe"),
            ):
                large.sendall(begin + b"x" * 50_000_000)
        request = b"POST /api/recommendations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        slow = [socket.create_connection(address) for _ in range(30)]
        for connection in slow:
            connection.sendall(request + b"Content-Length: 50\r\n\r\n{")
        assert server.ask("/api/users/alice/recommendations")[0] == 200
        for connection in slow:
            connection.close()


class TestAnswers:
    def test_carry_a_strict_policy(self, client: TestClient) -> None:
        for path in ("/api/model", "/nowhere", "/health/live"):
            headers = client.get(path).headers
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"

    def test_an_error_that_nobody_foresaw_tells_nothing_of_anybody(
        self, client: TestClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("alice")

        for name, path in (
            ("recommend_to_users", "recommendations"),
            ("recommend_to_user", "recommendations?reasons=true"),
        ):
            monkeypatch.setattr(client.app.state.service, name, broken)  # type: ignore[attr-defined]
            answer = client.get(f"/api/users/alice/{path}")
            assert (answer.status_code, answer.json()["error"]) == (500, "RuntimeError")
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert "alice" not in answer.text
        assert "broken (test_request_guard.py" in caplog.text
        assert "alice" not in caplog.text
        assert 'route="/api/users/{user}/recommendations",status="500"} 2.0' in client.get("/metrics").text

    def test_are_counted_by_kind_and_not_by_whom(self, client: TestClient) -> None:
        client.get("/api/users/alice/recommendations?where=year>1990")
        client.get("/api/users/zoe/recommendations")
        figures = client.get("/metrics").text
        route = 'method="GET",route="/api/users/{user}/recommendations"'
        assert f'alsatian_requests_total{{{route},status="200"}} 1.0' in figures
        assert f'alsatian_requests_total{{{route},status="404"}} 1.0' in figures
        assert "alsatian_model_loaded_at_seconds" in figures
        assert "alice" not in figures
        assert "zoe" not in figures

    def test_logs_hold_nobody(self, client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "alsatian")
        client.get("/api/users/alice/recommendations")
        client.post("/api/events", json=EVENT)
        client.post("/api/events", json=EVENT | {"value": 99})
        assert "alice" not in caplog.text


@pytest.mark.parametrize("wrong", ["value=nan&item=heat", "value=5&item=" + "x" * 600], ids=lambda text: text[:9])
def test_a_rating_of_the_page_that_is_none(client: TestClient, wrong: str) -> None:
    assert client.post(f"/rate?user=alice&{wrong}", headers={"HX-Request": "true"}).status_code == 422


def test_health(client: TestClient) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    assert client.get("/health/ready").json() == {"status": "ready"}
    about = client.get("/api/model").json()
    assert (about["model"], about["users"], about["items"], about["scale"]) == ("explicit-als", 4, 5, [1.0, 5.0])
