"""How raw rows became values. The model keeps it, so that a visitor's raw rows are treated in the same way."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from alsatian.errors import ParameterError

Duplicates = Literal["last", "sum", "mean", "raise"]
BadRows = Literal["stop", "skip"]


@dataclass(frozen=True)
class Recipe:
    """The rules by which rows were read, with the roles of the columns they came from.

    columns: role ("user", "item", "value", "time", "title") -> name of the column.
    duplicates: what a repeated pair of user and item becomes: its "last" value (the latest time, then the
        latest row), the "sum" or "mean" of its values, or an error.
    at_least: when set, values of at least this much became 1 (a like) and the others were left out.
    reading: the other options of `read` that shaped the rows (where, bad_rows, scale, delimiter, query), so that
        the source can be read again in the same way.
    """

    columns: dict[str, str] = field(default_factory=dict)
    duplicates: Duplicates = "raise"
    at_least: float | None = None
    reading: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.duplicates not in get_args(Duplicates):
            raise ParameterError(f"duplicates={self.duplicates!r} is not a rule; choose {_listed(Duplicates)}.")

    def value_of(self, raw: float) -> float | None:
        """Return the value that a raw value becomes, or None where the recipe leaves it out."""
        if self.at_least is None:
            return raw
        return 1.0 if raw >= self.at_least else None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> Recipe:
        known = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in saved.items() if name in known})


def _listed(choices: Any) -> str:
    return " or ".join(repr(choice) for choice in get_args(choices))
