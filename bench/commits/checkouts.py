"""Commits installed in environments of their own, under .bench/commits, with the same versions of packages."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from bench.datasets import CACHE, ROOT

FOLDER = CACHE / "commits"
EXTRAS = "serve,arrow"
CONSTRAINTS = FOLDER / "constraints.txt"  # what the first environment resolved: every other gets the same


@dataclass(frozen=True)
class Checkout:
    """A commit and the Python of its environment."""

    commit: str
    title: str
    python: Path


def resolve(reference: str) -> str:
    """Return the full hash of a commit."""
    process = _git("rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}", check=False)
    if process.returncode:
        raise SystemExit(f"bench: {reference!r} is not a commit of this repository")
    return process.stdout.decode().strip()


def is_dirty() -> bool:
    """Return whether what a commit's package is built from has changes that no commit has."""
    return bool(_git("status", "--porcelain", "--", "src", "cpp", "pyproject.toml", "CMakeLists.txt").stdout.strip())


def checkout(reference: str) -> Checkout:
    """Return an environment with this commit installed, which is built on first use (about two minutes)."""
    commit = resolve(reference)
    folder = FOLDER / commit[:12]
    python, ready = folder / "venv" / "bin" / "python", folder / "ready"
    if not ready.exists():
        print(f"installing {commit[:12]} into {folder.relative_to(ROOT)} ...", flush=True)
        with tarfile.open(fileobj=io.BytesIO(_git("archive", commit).stdout)) as archive:
            archive.extractall(folder / "source", filter="data")
        _run([sys.executable, "-m", "venv", "--clear", str(folder / "venv")])
        pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        constraints = ["--constraint", str(CONSTRAINTS)] if CONSTRAINTS.exists() else []
        _run([*pip, "install", *constraints, f"{folder / 'source'}[{EXTRAS}]"])
        if not CONSTRAINTS.exists():
            CONSTRAINTS.write_bytes(_run([*pip, "freeze", "--exclude", "alsatian"]))
        ready.touch()
    return Checkout(commit, _git("log", "-1", "--format=%s", commit).stdout.decode().strip(), python)


def _git(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=check)


def _run(command: list[str]) -> bytes:
    process = subprocess.run(command, capture_output=True)
    if process.returncode:
        raise SystemExit(f"bench: {' '.join(command)} failed:\n{process.stderr.decode()[-2000:]}")
    return process.stdout
