"""What the tests of searches share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alsatian.tuning import Study

SPLIT = "random:0.2"
SMALL_SPACE = {"factors": (2, 8), "reg": (0.01, 10.0), "epochs": (1, 6)}


def trials_without_seconds(study: Study) -> list[Any]:
    """Return all of a search but the time that it took."""
    return [replace(trial, seconds=0.0) for trial in study]
