"""Scores taken apart, entry by entry of a history, and told as users read them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import FitError
from alsatian.explanation import Explanation, Reason
from alsatian.interactions import CSR, Interactions

_SINGULAR = 1e15  # a condition number that is nothing but rounding


def regression_parts(
    f: NDArray[np.float64], confidence: NDArray[np.float64], target: NDArray[np.float64],
    outside: NDArray[np.float64], y: NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    """Return what each entry e of a history adds to each score y_i'x, where x solves the regression on its factors f,

        A x = sum_e target_e f_e,  A = sum_e confidence_e f_e f_e' + outside,

    so that y_i'x = sum_e (y_i' A^-1 f_e) target_e (Hu, Koren and Volinsky 2008, section 5): an array (entries, items).
    """
    system = f.T @ (f * confidence[:, None]) + outside
    try:
        inverse = np.linalg.inv(system)
        if np.abs(system).sum() * np.abs(inverse).sum() > _SINGULAR:
            raise np.linalg.LinAlgError
    except np.linalg.LinAlgError:
        raise FitError("the history has no unique solution to explain; fit with a larger reg.") from None
    parts: NDArray[np.float64] = (f @ (inverse @ y.T)) * target[:, None]
    return parts


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
