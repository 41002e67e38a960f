"""Early stopping: the error on values that a fit does not learn from says when to end."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from alsatian.interactions import CSR
from alsatian.models.descent import Descent


class EarlyStopping:
    """Keeps what was learned where the held-out error was least; over after `patience` epochs that are no better."""

    def __init__(self, descent: Descent, held_out: CSR, patience: int) -> None:
        self.descent, self.patience = descent, patience
        self.entries = descent.blocks_of(held_out)
        self.weight = len(held_out.values) if held_out.weights is None else float(held_out.weights.sum(dtype=float))
        self.least, self.since = math.inf, 0
        self.best: dict[str, NDArray[Any]] = {}

    def look(self) -> float:
        """Return the root mean squared error after an epoch."""
        error = math.sqrt(self.descent.squared_error(self.entries) / self.weight)
        self.since += 1
        if error < self.least:
            self.least, self.since, self.best = error, 0, self.descent.learned()
        return error

    @property
    def over(self) -> bool:
        return self.since >= self.patience
