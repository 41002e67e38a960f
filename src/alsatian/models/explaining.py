"""Scores taken apart, entry by entry of a history, and told as users read them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import FitError
from alsatian.explanation import Explanation, Reason
from alsatian.ids import Id
from alsatian.interactions import CSR, Interactions

Entries = list[tuple[Id, str | None, float]]  # item, title, value
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
    named = named_entries(data, history)
    return [
        explained(data, named, item, float(base), part) for item, base, part in zip(items, bases, parts.T, strict=True)
    ]


def named_entries(data: Interactions, history: CSR) -> Entries:
    """Return what a history (one row) holds as users read it; once for all items that it explains."""
    rows = history.indices.tolist()
    titles = [data.catalog.title_of(row) for row in rows]
    return list(zip(data.item_ids.take(history.indices), titles, history.values.tolist(), strict=True))


def explained(data: Interactions, named: Entries, item: int, base: float, parts: NDArray[np.float64]) -> Explanation:
    """Return an item's score as its base and what each entry of a history adds to it."""
    told = parts.tolist()
    order = np.argsort(-parts, kind="stable").tolist()
    reasons = [Reason._make((*named[at], told[at])) for at in order]
    title = data.catalog.title_of(item)
    return Explanation(data.item_ids.id_of(item), title, base + float(parts.sum()), base, reasons)
