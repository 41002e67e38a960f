"""Why an item is recommended: what the person's own items contribute to its score."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from alsatian.ids import Id


class Reason(NamedTuple):
    """One item of the person's history: the value it has there, and what it adds to the score."""

    item: Id
    title: str | None
    value: float
    contribution: float


@dataclass(frozen=True)
class Explanation:
    """A score taken apart: base (mean and biases) plus the contributions of the history, largest first.

    placed_by: the attributes that stand in for values where there are none, of the "item", or of the "user", whose
    whole score is then the base, as there is no history.
    """

    item: Id
    title: str | None
    score: float
    base: float
    reasons: list[Reason]
    placed_by: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return vars(self) | {"reasons": [reason._asdict() for reason in self.reasons]}

    def __str__(self) -> str:
        lines = [f"{self.title or self.item}: score {self.score:.3f}, of which {self.base:.3f} without the history"]
        lines += [f"  the {side} is placed by {', '.join(names)}" for side, names in self.placed_by.items()]
        lines += [f"  {r.contribution:+.3f}  {r.title or r.item} (value {r.value:g})" for r in self.reasons]
        return "\n".join(lines)
