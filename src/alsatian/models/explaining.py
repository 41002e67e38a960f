"""From a score taken apart, entry by entry of a history, to what users read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.explanation import Explanation, Reason
from alsatian.interactions import CSR, Interactions


def explanations(
    data: Interactions, history: CSR, items: list[int], bases: NDArray[Any], parts: NDArray[np.float64]
) -> list[Explanation]:
    """Return for each item its base (mean and biases) and parts (entries, items) as reasons, largest first."""
    return [
        explained(data, history, item, float(base), part)
        for item, base, part in zip(items, bases, parts.T, strict=True)
    ]


def explained(data: Interactions, history: CSR, item: int, base: float, parts: NDArray[np.float64]) -> Explanation:
    """Return an item's score as its base and what each entry of a history (one row) adds to it."""
    ids, catalog = data.item_ids, data.catalog
    reasons = [
        Reason(ids.id_of(row), catalog.title_of(row), float(history.values[at]), float(parts[at]))
        for at in np.argsort(-parts, kind="stable")
        for row in (int(history.indices[at]),)
    ]
    return Explanation(ids.id_of(item), catalog.title_of(item), base + float(parts.sum()), base, reasons)
