"""Explanations: what each item of a user's history contributes to the score of an item."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian._util.html_table import HtmlRepr
from alsatian._util.text_table import TextTable
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
class Explanation(HtmlRepr):
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
        """Return the explanation as a JSON-compatible dictionary."""
        return vars(self) | {"reasons": [reason._asdict() for reason in self.reasons]}

    def __str__(self) -> str:
        table = self._html_table()
        lines = [table.title, *(f"  {line}" for line in table.note.splitlines())]
        rows = zip(*table.columns.values(), strict=True)
        lines += [f"  {contribution}  {item} (value {value})" for item, value, contribution in rows]
        return "\n".join(lines)

    def _html_table(self) -> TextTable:
        columns = {
            "item": [str(reason.title or reason.item) for reason in self.reasons],
            "value": [f"{reason.value:g}" for reason in self.reasons],
            "contribution": [f"{reason.contribution:+.3f}" for reason in self.reasons],
        }
        title = f"{self.title or self.item}: score {self.score:.3f} ({self.base:.3f} without the history)"
        sides = (f"the {side} is represented by {', '.join(names)}" for side, names in self.placed_by.items())
        figures = frozenset({"value", "contribution"})
        return TextTable(title, columns if self.reasons else {}, figures, "\n".join(sides))


_MAX_CONDITION = 1e15  # above this condition number, a solution is dominated by rounding errors


class Contributions(NamedTuple):
    """Scores split into a base without the history (items,) and the contribution of each entry (entries, items)."""

    base: NDArray[np.floating]
    per_entry: NDArray[np.floating]


def regression_contributions(
    f: NDArray[np.float64], confidence: NDArray[np.float64], target: NDArray[np.float64],
    prior_matrix: NDArray[np.float64], y: NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    """Return what each entry e of a history adds to each score y_i'x, an array (entries, items).

    x solves the regression on the factors f of the entries (Hu, Koren and Volinsky 2008, section 5),

        A x = sum_e target_e f_e,  A = sum_e confidence_e f_e f_e' + prior_matrix,

    so that y_i'x = sum_e (y_i' A^-1 f_e) target_e. Raises FitError if A is singular.
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
    """Return an explanation of each item's score, with its `limit` largest reasons (None: all), largest first."""
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
