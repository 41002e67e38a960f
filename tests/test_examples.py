"""The examples run as they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(*command: str) -> str:
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_movies() -> None:
    told = run(str(EXAMPLES / "movies.py"), "Iron Man (2008)", "Up (2009)")
    assert "implicit-als: NDCG@10" in told
    assert "for a visitor who likes Iron Man (2008), Up (2009)" in told


def test_shop(shared_data: Path) -> None:
    told = run(str(EXAMPLES / "shop.py"), str(shared_data / "online-retail.parquet"), "12347")
    assert "'left out by where': 10624" in told
    assert "for user 12347" in told
