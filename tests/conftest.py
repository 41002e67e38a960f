"""What several test files share."""

from __future__ import annotations

import os
import signal
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from numpy.typing import NDArray

from alsatian.data.interactions import Interactions
from alsatian.datasets import builtin
from alsatian.datasets.rdatasets import read_movielens
from alsatian.ingest.item_table import ItemTable
from support import browser, problems
from support.spark_session import connect, spark  # noqa: F401  (fixtures)

MISSING_DATA_MESSAGE = "shared data not found"

# The same examples in every run, however busy the machine is.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

# A shell ignores Ctrl-C for what it starts in the background, and children inherit that: undo it for tests of Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what belongs to the user out of the tests: cached data and posters, a key, a token, a proxy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALSATIAN_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("no_proxy", "127.0.0.1,localhost")
        for name in ("ALSATIAN_DEBUG", "ALSATIAN_TOKEN", "TMDB_API_KEY", "COLUMNS", "FORCE_COLOR"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets: named by ALSATIAN_SHARED, else beside the repository."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ALSATIAN_SHARED", default))
    if not folder.is_dir():
        pytest.skip(f"{MISSING_DATA_MESSAGE} at {folder}; set ALSATIAN_SHARED to their folder")
    return folder


@pytest.fixture(scope="session")
def movielens_100k(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked folder of MovieLens 100K."""
    target = tmp_path_factory.mktemp("movielens")
    with tarfile.open(shared_data / "ml-100k.tar.gz") as archive:
        archive.extractall(target, filter="data")
    return next(target.rglob("u.data")).parent


@pytest.fixture
def fewer_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the first users of movielens-small, for what must run on real data and is not looked at closely."""

    def read_some(path: Path) -> tuple[dict[str, NDArray[Any]], ItemTable]:
        ratings, films = read_movielens(path)
        some = ratings["userId"] <= 100
        return {name: column[some] for name, column in ratings.items()}, films

    monkeypatch.setattr(builtin, "read_movielens", read_some)


@pytest.fixture
def ratings() -> Interactions:
    """The running example: four users, five films, ratings from 1 to 5 (see `problems.MATRIX`)."""
    return problems.running_example()


@pytest.fixture(scope="session")
def checkerboard() -> Interactions:
    """40 users who like the items of their own parity, out of 30."""
    return problems.checkerboard()


@pytest.fixture(scope="session")
def some_ratings() -> Interactions:
    """120 users and 80 items at random, with some structure."""
    return problems.random_ratings()


@pytest.fixture(scope="session")
def some_cold_ratings() -> Interactions:
    """The same with items and users that have no value, and attributes of all."""
    return problems.cold_ratings()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Headless Chromium; skips where there is none."""
    with browser.chromium() as instance:
        yield instance


def skip_reason(report: Any) -> str:
    """Return why a test was skipped; pytest says it as (file, line, "Skipped: why")."""
    return str(report.longrepr[2]).removeprefix("Skipped: ")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say at the end what is missing here, in one line each, and how many tests were skipped for it."""
    reasons = Counter(map(skip_reason, terminalreporter.stats.get("skipped", [])))
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"skipped {count} {'test' if count == 1 else 'tests'}: {reason}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where ALSATIAN_NO_SKIPS is set (as in .ci/run), a skip other than for absent shared data fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or "ALSATIAN_NO_SKIPS" not in os.environ:
        return
    skipped = [
        report.nodeid for report in reporter.stats.get("skipped", []) if MISSING_DATA_MESSAGE not in skip_reason(report)
    ]
    if skipped:
        reporter.write_line(f"\nskipped where nothing may be: {', '.join(skipped)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
