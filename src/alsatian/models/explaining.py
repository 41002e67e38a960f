"""Scores taken apart, entry by entry of a history, and told as users read them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import FitError
from alsatian.explanation import Explanation, Reason
from alsatian.interactions import CSR, Interactions

_SINGULAR = 1e15  # a condition number that is nothing but rounding


class Shares(NamedTuple):
    """Scores taken apart: their bases without a history (items), and what its entries add (entries, items)."""

    bases: NDArray[np.floating]
    parts: NDArray[np.floating]


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
    data: Interactions, history: CSR, items: list[int], shares: Shares, most: int | None = None
) -> list[Explanation]:
    """Return for each item its score taken apart as users read it, with the largest reasons (None: all) first."""
    bases, parts = shares
    orders = np.argsort(-parts, axis=0, kind="stable")[:most].T
    scores = bases + parts.sum(0)
    return [
        Explanation(
            data.item_ids.id_of(item), data.catalog.title_of(item), float(score), float(base),
            _reasons(data, history, order, part[order]),
        )
        for item, score, base, order, part in zip(items, scores, bases, orders, parts.T, strict=True)
    ]  # fmt: skip


def _reasons(data: Interactions, history: CSR, entries: NDArray[np.intp], parts: NDArray[np.float64]) -> list[Reason]:
    rows = history.indices[entries].tolist()
    titles = [data.catalog.title_of(row) for row in rows]
    named = zip(data.item_ids.take(rows), titles, history.values[entries].tolist(), parts.tolist(), strict=True)
    return [Reason(*one) for one in named]
