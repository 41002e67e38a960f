"""The article log: its events weigh without being told, and its titles lie beside it."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from alsatian.data.recipe import Recipe
from alsatian.errors import RowsError
from alsatian.ingest import read
from alsatian.ingest.formats.deskdrop import DESKDROP_EVENT_WEIGHTS

LOG = (
    "timestamp,eventType,contentId,personId,sessionId,userAgent,userRegion,userCountry\n"
    '1465413032,VIEW,-34,-88,1,"Mozilla/5.0 (KHTML, like Gecko)",NY,US\n'
    "1465413033,COMMENT CREATED,-34,-88,1,,,\n"
    "1465413034,LIKE,51,-88,1,,,\n"
    "1465413035,BOOKMARK,51,10,2,,,\n"
    "1465413036,VIEW,-7,10,2,,,\n"
)
ARTICLES = (
    "timestamp,eventType,contentId,authorPersonId,authorSessionId,authorUserAgent,authorRegion,authorCountry,"
    "contentType,url,title,text,lang\n"
    '1459192779,CONTENT REMOVED,-34,43,8,,,,HTML,http://a,"An old, wrong title",gone,en\n'
    '1459193988,CONTENT SHARED,-34,43,8,,,,HTML,http://a,"Ethereum, a ""virtual"" currency","All of this\nwork",en\n'
    "1459194146,CONTENT SHARED,51,43,8,,,,HTML,http://b,Google Data Center 360° Tour,We are in 360 degrees,en\n"
    "1459194147,CONTENT REMOVED,-7,43,8,,,,HTML,http://c,Gone for good,x,pt\n"
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "users_interactions.csv").write_text(LOG)
    return tmp_path / "users_interactions.csv"


def test_its_roles_and_weights_are_known(log: Path) -> None:
    data = read(log)
    assert data.recipe.columns == {"user": "personId", "item": "contentId", "time": "timestamp", "event": "eventType"}
    assert data.recipe.events == DESKDROP_EVENT_WEIGHTS
    assert data.by_user.to_scipy().toarray().tolist() == [[6, 0, 2], [0, 1, 3]]  # users -88, 10; articles -34, -7, 51
    assert "events have the usual weights of this log: VIEW 1, LIKE 2, " in data.report.notes[0]


def test_given_weights_come_first_and_events_may_be_left_out(log: Path) -> None:
    data = read(log, recipe=Recipe(events={"LIKE": 5}, unknown_events="ignore"))
    assert (data.values.tolist(), data.report.skipped) == ([5], {"left out by events": 4})
    assert (unweighed := read(log, event="")).values.max() == 2
    assert read(log, recipe=unweighed.recipe).digest == unweighed.digest


def test_an_event_that_the_log_never_had(log: Path) -> None:
    log.write_text(LOG + "1465413037,SHARE,-7,10,2,,,\n")
    with pytest.raises(RowsError, match=r"without a weight in 1 row of users_interactions.csv: 'SHARE'"):
        read(log)


def test_titles_lie_beside_it(log: Path) -> None:
    (log.parent / "shared_articles.csv").write_text(ARTICLES)
    data = read(log)
    assert data.catalog.titles == ['Ethereum, a "virtual" currency', None, "Google Data Center 360° Tour"]
    assert set(data.catalog.columns) == {"title", "contentType", "url", "lang"}
    assert "shared_articles.csv: 2 rows with CONTENT REMOVED left out." in data.report.notes


def test_given_titles_come_first(log: Path) -> None:
    (log.parent / "shared_articles.csv").write_text(ARTICLES)
    (log.parent / "mine.csv").write_text("contentId,title\n51,Mine\n")
    assert read(log, items=log.parent / "mine.csv").catalog.titles == [None, None, "Mine"]


@pytest.fixture(scope="session")
def deskdrop(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real log."""
    target = tmp_path_factory.mktemp("articles")
    with tarfile.open(shared_data / "deskdrop.tar.gz") as archive:
        archive.extractall(target, filter="data")
    return next(target.rglob("users_interactions.csv"))


def test_the_real_log(deskdrop: Path) -> None:
    data = read(deskdrop)
    assert (len(data.user_ids), len(data.item_ids), len(data)) == (1_895, 2_987, 40_710)
    assert data.report.combined == 72_312 - 40_710
    core = read(deskdrop, recipe=Recipe(min_per_user=5, min_per_item=5))
    assert core.by_user.counts.min() >= 5
    assert core.item_counts.min() >= 5
    assert len(core) + core.report.combined + sum(core.report.skipped.values()) == 72_312
