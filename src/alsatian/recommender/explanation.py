"""Explanations: what each item of a user's history contributes to the score of an item."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian.data.csr import CSR
from alsatian.data.id_map import Id
from alsatian.data.interactions import Interactions
from alsatian.errors import FitError


class Reason(NamedTuple):
    """One item of the history: its value, and its contribution to the score."""

    item: Id
    title: str | None
    value: float
    contribution: float


@dataclass(frozen=True)
class Explanation:
    """A score as the sum of a base (mean and biases) and the contributions of the history, largest first.

    placed_by: the attribute columns that represent an "item" or a "user" without values. The whole score of such a
    user is the base, as there is no history.
    """

    item: Id
    title: str | None
    score: float
    base: float
    reasons: list[Reason]
    placed_by: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the explanation as JSON holds it."""
        return vars(self) | {"reasons": [reason._asdict() for reason in self.reasons]}

    def __str__(self) -> str:
        lines = [f"{self.title or self.item}: score {self.score:.3f}, of which {self.base:.3f} without the history"]
        lines += [f"  the {side} is represented by {', '.join(names)}" for side, names in self.placed_by.items()]
        lines += [f"  {r.contribution:+.3f}  {r.title or r.item} (value {r.value:g})" for r in self.reasons]
        return "\n".join(lines)


_MAX_CONDITION = 1e15  # a condition number that is nothing but rounding


class Contributions(NamedTuple):
    """Scores taken apart: their bases without a history (items), and what its entries add (entries, items)."""

    base: NDArray[np.floating]
    per_entry: NDArray[np.floating]


def regression_contributions(
    f: NDArray[np.float64], confidence: NDArray[np.float64], target: NDArray[np.float64],
    prior_matrix: NDArray[np.float64], y: NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    """Return what each entry e of a history adds to each score y_i'x, where x solves the regression on its factors f,

        A x = sum_e target_e f_e,  A = sum_e confidence_e f_e f_e' + prior_matrix,

    so that y_i'x = sum_e (y_i' A^-1 f_e) target_e (Hu, Koren and Volinsky 2008, section 5): an array (entries, items).
    """
    system = f.T @ (f * confidence[:, None]) + prior_matrix
    try:
        inverse = np.linalg.inv(system)
        if np.abs(system).sum() * np.abs(inverse).sum() > _MAX_CONDITION:
            raise np.linalg.LinAlgError
    except np.linalg.LinAlgError:
        raise FitError("the history has no unique solution to explain; fit with a larger reg.") from None
    per_entry: NDArray[np.float64] = (f @ (inverse @ y.T)) * target[:, None]
    return per_entry


def build_explanations(
    data: Interactions, history: CSR, items: list[int], contributions: Contributions, limit: int | None = None
) -> list[Explanation]:
    """Return for each item its score taken apart as users read it, with the largest reasons (None: all) first."""
    item_bases, per_entry = contributions
    orders = np.argsort(-per_entry, axis=0, kind="stable")[:limit].T
    scores = item_bases + per_entry.sum(0)
    return [
        Explanation(
            data.item_ids.id_of(item), data.catalog.title_of(item), float(score), float(base),
            _build_reasons(data, history, order, item_entries[order]),
        )
        for item, score, base, order, item_entries in zip(items, scores, item_bases, orders, per_entry.T, strict=True)
    ]  # fmt: skip


def _build_reasons(
    data: Interactions, history: CSR, entries: NDArray[np.intp], contributions: NDArray[np.float64]
) -> list[Reason]:
    rows = history.indices[entries].tolist()
    titles = [data.catalog.title_of(row) for row in rows]
    fields = zip(
        data.item_ids.take(rows), titles, history.values[entries].tolist(), contributions.tolist(), strict=True
    )
    return [Reason(*reason_fields) for reason_fields in fields]
