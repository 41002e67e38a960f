"""Whether arrays read from a model file are those that a model expects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def check_shapes(learned: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise ValueError for the first array that is missing or of another shape."""
    for name, shape in shapes.items():
        if name not in learned or learned[name].shape != shape:
            raise ValueError(f"{name} is missing or does not have the shape {shape}")
