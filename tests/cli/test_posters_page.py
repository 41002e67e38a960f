"""--posters of alsatian similar and recommend."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]


@pytest.fixture(autouse=True)
def no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMDB_API_KEY", raising=False)
    monkeypatch.setenv("ALSATIAN_CACHE", str(tmp_path / "cache"))


def test_a_page_beside_the_list(cli: Cli, world: Path, tmp_path: Path) -> None:
    path = tmp_path / "similar.html"
    plain, answer = (cli("similar", world / "implicit.model", "Iron Man", *more) for more in ([], ["--posters", path]))
    assert answer.out == plain.out
    assert answer.err == plain.err + (
        f"wrote {path} with posters; posters are drawn: TMDB_API_KEY is not set; get a key of your own at "
        "https://www.themoviedb.org/settings/api\n"
    )
    text = path.read_text()
    assert text.count("<img ") == 11
    assert "<h1>Like Iron Man (2008)</h1>" in text


@pytest.mark.parametrize("who", [["--user", "7", "--user", "8"], ["--like", "Matrix"]])
def test_a_page_of_recommendations(cli: Cli, world: Path, tmp_path: Path, who: list[str]) -> None:
    path = tmp_path / "for.html"
    answer = cli("recommend", world / "implicit.model", *who, "-n", "4", "--json", "--posters", path)
    assert answer.code == 0
    assert all(len(line["items"]) == 4 for line in answer.lines)
    assert path.read_text().count("<li>") == 4 * len(answer.lines)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--user", "7", "--posters", "list.pdf"], "--posters list.pdf must end in .html."),
        (["--user", "7", "--posters", "nowhere/list.html"], "there is no folder 'nowhere' to save list.html in"),
        (["--all-users", "--posters", "list.html"], "--posters writes a page of a few lists; pass --user ID"),
    ],
)
def test_what_cannot_be(cli: Cli, world: Path, options: list[str], message: str) -> None:
    answer = cli("recommend", world / "implicit.model", *options)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
