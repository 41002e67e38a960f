"""The calls that ask give what Python gives, in the same words, and errors as problem+json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import alsatian as al
from alsatian.serving import create_app
from serving.conftest import listed

ALICE = "/api/users/alice/recommendations"


def same(answer: Any, expected: al.Recommendations) -> None:
    assert answer.status_code == 200, answer.text
    assert answer.json()["items"] == json.loads(next(expected.to_json_lines()))["items"]


class TestLists:
    def test_a_user(self, client: TestClient, model: al.ExplicitALS) -> None:
        answer = client.get(ALICE)
        same(answer, model.recommend("alice"))
        assert answer.json()["user"] == "alice"
        assert {place["source"] for place in answer.json()["items"]} == {"als"}

    @pytest.mark.parametrize(
        "options",
        [
            {"n": 1},
            {"exclude_seen": False},
            {"allow": ["heat"]},
            {"deny": ["heat", "Up (2009)"], "exclude_seen": False},
            {"where": "year >= 2009", "exclude_seen": False},
            {"novelty": 1.0, "exclude_seen": False},
            {"reasons": True},
        ],
        ids=str,
    )
    def test_the_words_of_python(self, client: TestClient, model: al.ExplicitALS, options: dict[str, Any]) -> None:
        same(client.get(ALICE, params=options), model.recommend("alice", **options))
        visitor = model.fold_in(["Iron Man (2008)", "Up (2009)"])
        body = {"history": ["Iron Man (2008)", {"item": "up"}], **options}
        same(client.post("/api/recommendations", json=body), visitor.recommend(**options))

    @pytest.mark.parametrize("plain", ["", "?n=2", "?n=1000", "?n=0", "?n=1001", "?n=x", "?m=2"])
    @pytest.mark.parametrize("user", ["alice", "zoe", "al%69ce", "x" * 501])
    def test_a_plain_request_has_a_way_of_its_own_and_the_same_answer(
        self, client: TestClient, user: str, plain: str
    ) -> None:
        path = f"/api/users/{user}/recommendations"
        quick, other = client.get(path + plain), client.get(f"{path}{plain or '?'}&novelty=0")
        assert quick.status_code == other.status_code
        assert quick.json() == other.json()
        assert quick.headers == other.headers

    def test_a_user_with_a_slash(self, client: TestClient) -> None:
        client.post("/api/events", json={"user": "a/b", "item": "iron", "value": 5})
        assert client.get("/api/users/a%2Fb/recommendations").json()["user"] == "a/b"

    def test_an_unknown_user_follows_the_word(self, client: TestClient, model: al.ExplicitALS) -> None:
        zoe = "/api/users/zoe/recommendations"
        assert client.get(zoe).status_code == 404
        assert listed(client.get(zoe, params={"unknown": "skip"})) == []
        same(client.get(zoe, params={"unknown": "popular"}), model.recommend("zoe", unknown="popular"))

    def test_raw_events_pass_through_the_recipe(self, tmp_path: Path) -> None:
        log = "user,item,event\n" + "".join(f"u{n},i{(n * k) % 7},VIEW\n" for n in range(9) for k in range(1, 4))
        (tmp_path / "log.csv").write_text(log)
        rules = al.Recipe(events={"VIEW": 1, "LIKE": 5}, confidence="log")
        model = al.ImplicitALS(factors=3).fit(al.read(tmp_path / "log.csv", recipe=rules), progress=False)
        al.save(model, tmp_path / "log.model")
        history = [{"item": "i1", "event": "LIKE"}, {"item": "i2", "event": "VIEW", "time": "2024-01-01"}]
        with TestClient(create_app(tmp_path / "log.model"), base_url="http://localhost") as client:
            same(client.post("/api/recommendations", json={"history": history}), model.fold_in(history).recommend())
            wrong = client.post("/api/recommendations", json={"history": [{"item": "i1", "event": "LIEK"}]})
        assert wrong.status_code == 422
        assert wrong.json()["detail"].endswith("Did you mean 'LIKE'?")

    def test_integer_ids_are_read_from_addresses_and_json(self, tmp_path: Path) -> None:
        rows = "".join(f"{n},{100 + (n * k) % 5},{1 + k}\n" for n in range(8) for k in range(3))
        (tmp_path / "r.csv").write_text("user,item,rating\n" + rows)
        data = al.read(tmp_path / "r.csv")
        al.save(al.ExplicitALS(factors=2).fit(data, progress=False), tmp_path / "r.model")
        with TestClient(create_app(tmp_path / "r.model"), base_url="http://localhost") as client:
            assert client.get("/api/users/3/recommendations").json()["user"] == 3
            assert client.get("/api/items/103").json()["item"] == 103
            ours = [client.post("/api/recommendations", json={"history": [item]}) for item in (103, "103")]
            assert listed(ours[0]) == listed(ours[1])
            assert "integers" in client.get("/api/users/x/recommendations").json()["detail"]


class TestItems:
    def test_similar_by_id_and_title(self, client: TestClient, model: al.ExplicitALS) -> None:
        for name in ("iron", "Iron Man (2008)"):
            same(client.get(f"/api/items/{name}/similar", params={"n": 2}), model.similar("iron", 2))

    def test_search_finds_what_is_being_typed(self, client: TestClient) -> None:
        matching = client.get("/api/items", params={"q": "iron m"}).json()["items"]
        assert [item["title"] for item in matching] == ["Iron Man (2008)", "Iron Man 2 (2010)"]
        assert matching[0]["attributes"] == {"year": 2008}
        assert matching[0]["count"] == 3

    def test_one_item(self, client: TestClient) -> None:
        assert client.get("/api/items/Up (2009)").json()["item"] == "up"
        assert client.get("/api/items/nothing").status_code == 404

    def test_explanations_add_up(self, client: TestClient) -> None:
        for query in ({"user": "alice"}, {"history": ["iron", {"item": "up", "value": 2}]}):
            record = client.post("/api/explanations", json={"item": "heat"} | query).json()
            parts = sum(reason["contribution"] for reason in record["reasons"])
            assert record["base"] + parts == pytest.approx(record["score"], abs=1e-4)
        both = client.post("/api/explanations", json={"item": "heat"})
        assert (both.status_code, both.json()["detail"]) == (
            422, "pass exactly one of 'user' and 'history'.",
        )  # fmt: skip


class TestErrors:
    @pytest.mark.parametrize(
        ("path", "status", "error"),
        [
            ("/api/users/zoe/recommendations", 404, "UnknownUser"),
            ("/api/items/zoe/similar", 404, "UnknownItem"),
            (f"{ALICE}?n=0", 422, "ParameterError"),
            (f"{ALICE}?n=1001", 422, "ParameterError"),
            (f"{ALICE}?novelty=2", 422, "ParameterError"),
            (f"{ALICE}?where=yaer>1990", 422, "ParameterError"),
            (f"{ALICE}?deny=zoe", 404, "UnknownItem"),
            (f"{ALICE}?unknown=guess", 422, "ParameterError"),
            ("/nowhere", 404, "HTTPException"),
        ],
    )
    def test_are_problems_of_one_line(self, client: TestClient, path: str, status: int, error: str) -> None:
        answer = client.get(path)
        record = answer.json()
        assert (answer.status_code, record["status"], record["error"]) == (status, status, error)
        assert answer.headers["content-type"] == "application/problem+json"
        assert "\n" not in record["detail"]

    def test_the_message_is_that_of_the_library(self, client: TestClient, model: al.ExplicitALS) -> None:
        with pytest.raises(al.AlsatianError) as raised:
            model.recommend("zoe")
        assert client.get("/api/users/zoe/recommendations").json()["detail"] == str(raised.value)

    def test_what_a_model_cannot_do(self, tmp_path: Path) -> None:
        from support import problems

        al.save(al.Popularity().fit(problems.running_example()), tmp_path / "popular.model")
        with TestClient(create_app(tmp_path / "popular.model"), base_url="http://localhost") as client:
            response = client.get("/api/items/up/similar")
        assert (response.status_code, response.json()["error"]) == (422, "Unsupported")
        assert "explicit-als" in response.json()["detail"]

    @pytest.mark.parametrize(
        "body", ["", "{", "[]", "null", '{"history": "x"}', '{"history": [1.5]}', '{"histroy": [1]}']
    )
    def test_malformed_bodies(self, client: TestClient, body: str) -> None:
        answer = client.post("/api/recommendations", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"

    @pytest.mark.parametrize(
        ("call", "path"), [("recommend_to_users", ALICE), ("recommend_to_user", f"{ALICE}?reasons=true")]
    )
    def test_no_traceback_leaves_the_house(
        self,
        client: TestClient,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        call: str,
        path: str,
    ) -> None:
        def fails(*_: object) -> None:
            raise RuntimeError("the secret of alice")

        monkeypatch.setattr(client.app.state.service, call, fails)  # type: ignore[attr-defined]
        answer = client.get(path)
        assert (answer.status_code, answer.json()["error"]) == (500, "RuntimeError")
        assert "secret" not in answer.text
        assert "secret" not in caplog.text
        assert "fails (test_recommend_routes.py" in caplog.text


def test_openapi_tells_every_call_its_answer_and_its_errors(client: TestClient) -> None:
    api = client.get("/openapi.json").json()
    assert {"/api/users/{user}/recommendations", "/api/recommendations", "/api/events/batch"} <= set(api["paths"])
    for path, calls in api["paths"].items():
        for call in calls.values():
            assert call["summary"], path
            success = next(body for status, body in call["responses"].items() if status.startswith("2"))
            assert success["content"], path
            if "422" in call["responses"]:
                assert list(call["responses"]["422"]["content"]) == ["application/problem+json"], path
    for name in ("UserList", "VisitorList", "SimilarList", "Problem", "EventIn"):
        assert api["components"]["schemas"][name]["examples"], name
