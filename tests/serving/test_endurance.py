"""Bodies by the thousand that nobody would send, and a long life."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import alsatian as al
from alsatian.serving import create_app
from serving.conftest import Start
from support import problems

EACH = 10  # examples of each call
REQUESTS = int(os.environ.get("ALSATIAN_SOAK_REQUESTS", "30000"))
KNOWN = {"user": "alice", "item": "heat"}


@pytest.mark.parametrize("each", [EACH, pytest.param(8 * EACH, marks=pytest.mark.slow)])
def test_no_body_and_no_parameter_breaks_the_service(file: Path, each: int) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(file))
    calls = [result.ok() for result in schema.get_all_operations()]
    assert len(calls) >= 13
    for call in calls:
        _ask_anything(call, each)


def _ask_anything(call: schemathesis.APIOperation, each: int) -> None:
    """Send a call what fits its description, and what does not."""

    @settings(max_examples=each, suppress_health_check=list(HealthCheck), database=None)
    @given(
        case=st.one_of(*(call.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode)),
        known=st.booleans(),
    )
    def ask(case: schemathesis.Case, known: bool) -> None:
        if known:
            case.path_parameters = {name: KNOWN[name] for name in case.path_parameters or {}}
            case.body = _with_known(case.body)
        answer = case.call(headers={"Host": "localhost"})
        assert answer.status_code < 500, (call.label, answer.status_code, answer.text)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == ["application/problem+json"]

    ask()


def _with_known(body: Any) -> Any:
    """Name users and items of the model in a body, so that what else is in it is looked at."""
    if isinstance(body, list):
        return [_with_known(part) for part in body]
    if isinstance(body, dict):
        return {name: _known(name, part) for name, part in body.items()}
    return body


def _known(name: str, part: Any) -> Any:
    if name in ("allow", "deny", "history") and isinstance(part, list):
        return [_with_known(element) if isinstance(element, dict) else KNOWN["item"] for element in part]
    return KNOWN[name] if name in KNOWN else _with_known(part)


@pytest.mark.slow
def test_memory_stays_flat(file: Path, start: Start) -> None:
    """About a minute; ten times as much is worth it before a release: ALSATIAN_SOAK_REQUESTS=300000."""
    server = start(file)

    def load(writer: int, requests: int) -> None:
        for number in range(requests // 3):
            server.ask("/api/users/alice/recommendations?reasons=true")
            server.ask("/api/recommendations", {"history": ["up", "iron"], "where": f"year > {1900 + number % 100}"})
            server.ask("/api/events", {"user": f"u{number % 50}", "item": "heat", "value": 4})
            if number % 500 == 0:
                al.save(al.Popularity().fit(problems.running_example()), file)

    def memory() -> int:
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def memory_after(requests: int) -> int:
        with ThreadPoolExecutor(2) as clients:
            for _ in clients.map(load, range(2), [requests // 2] * 2):
                pass  # an error of a client is raised here
        return memory()

    before = memory_after(REQUESTS // 4)
    assert memory_after(REQUESTS * 3 // 4) < before * 1.1 + 4_096
