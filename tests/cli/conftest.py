"""A small world of movies with two tastes, models of it, and the command line as a function."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from alsatian.cli import run

USERS, ITEMS = 60, 40
NAMED = {
    1: "Iron Man (2008)",
    2: "Toy Story (1995)",
    3: "Iron Man 2 (2010)",
    4: "Matrix, The (1999)",
    5: "Star Wars: A New Hope (1977)",
    7: "Star Wars: Return of the Jedi (1983)",
    9: "E=MC2 (1996)",
    11: "[REC] (2007)",
}


@dataclass
class Answer:
    """What one command line gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Cli = Callable[..., Answer]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command line in this process."""

    def call(*arguments: object) -> Answer:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return Answer(code, *capsys.readouterr())

    return call


@pytest.fixture
def spawn() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start command lines as processes of their own; those still running at the end are killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-u", "-m", "alsatian", *map(str, arguments)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()


def rows() -> list[tuple[int, int, float]]:
    """Even users love the odd items, odd users the even ones; everybody has seen about half."""
    rng = random.Random(0)
    seen = [(u, i) for u in range(1, USERS + 1) for i in range(1, ITEMS + 1) if rng.random() < 0.5]
    return [(u, i, rng.choice((4.0, 4.5, 5.0) if (u + i) % 2 else (0.5, 1.0, 2.5))) for u, i in seen]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ratings.csv, movies.csv, and models of them: explicit.model, implicit.model, popular.model."""
    folder = tmp_path_factory.mktemp("world")
    ratings = "".join(f"{u},{i},{v:g},{1_000_000_000 + u * 1000 + i}\n" for u, i, v in rows())
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + ratings)
    titles = {i: NAMED.get(i, f"Movie {i} ({1960 + i})") for i in range(1, ITEMS + 1)}
    movies = "".join(f'{i},"{title}",{title[-5:-1]}\n' for i, title in titles.items())
    (folder / "movies.csv").write_text("movieId,title,year\n" + movies)
    source = [str(folder / "ratings.csv"), "--items", str(folder / "movies.csv"), "--set", "factors=8"]
    for name, more in (
        ("explicit", ["--model", "explicit-als"]),
        ("implicit", ["--model", "implicit-als", "--min-rating", "4"]),
    ):
        assert run(["train", *source, *more, "-o", str(folder / f"{name}.model")]) == 0
    assert run(["train", *source[:3], "--model", "popularity", "-o", str(folder / "popular.model")]) == 0
    return folder
