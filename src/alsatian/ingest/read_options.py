"""The options of `alsatian.read`, validated before a source is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np

from alsatian.data.recipe import BadRows, Duplicates, Recipe
from alsatian.errors import ParameterError


@dataclass(frozen=True)
class ReadOptions:
    """The validated options of `alsatian.read`; names and meanings are those of its arguments.

    columns: role -> the column that the caller names for it, "" to ignore the role, None to recognize the column.

    Raises ParameterError for a value that is not valid.
    """

    duplicates: Duplicates | None = None
    bad_rows: BadRows = "stop"
    scale: tuple[float, float] | None = None
    where: str | None = None
    include_unrated: bool = False
    recipe: Recipe = field(default_factory=Recipe)
    columns: Mapping[str, str | None] = field(default_factory=dict)
    query: str | None = None
    delimiter: str | None = None

    def __post_init__(self) -> None:
        if self.bad_rows not in get_args(BadRows):
            raise ParameterError(f"bad_rows={self.bad_rows!r} is not valid; choose 'stop' or 'skip'.")
        if not isinstance(self.recipe, Recipe):
            raise ParameterError(
                f"recipe={self.recipe!r} is not a recipe; pass al.Recipe(...), or al.Recipe.from_toml(path) for a file."
            )
        if self.duplicates is not None:
            Recipe(duplicates=self.duplicates)  # validates the rule
            if self.recipe.duplicates not in (None, self.duplicates):
                raise ParameterError(
                    f"duplicates={self.duplicates!r} contradicts the recipe, which says {self.recipe.duplicates!r}; "
                    "leave one out."
                )
        if self.scale is not None and not _is_pair(self.scale):
            raise ParameterError(f"scale={self.scale!r} is not a pair; pass (lowest, highest), such as (1, 5).")
        if self.scale is not None and not self.scale[0] < self.scale[1]:
            raise ParameterError(f"scale={self.scale!r} does not ascend; pass (lowest, highest), such as (1, 5).")
        if self.where is not None and not isinstance(self.where, str):
            raise ParameterError(f"where={self.where!r} is not text; pass an SQL condition, such as 'rating > 0'.")
        if self.include_unrated and self.recipe.has_core:
            raise ParameterError(
                "include_unrated=True keeps items and users without any value, but min_per_user and min_per_item of "
                "the recipe drop those with few; use one of the two."
            )

    def to_json(self) -> dict[str, Any]:
        """Return the non-default options that are needed to read the source again, except the recipe."""
        options: dict[str, Any] = {"bad_rows": self.bad_rows} if self.bad_rows != "stop" else {}
        options |= {"scale": list(self.scale)} if self.scale else {}
        names = ("where", "query", "delimiter")
        return options | {name: getattr(self, name) for name in names if getattr(self, name)}


def _is_pair(scale: object) -> bool:
    return (
        isinstance(scale, tuple | list)
        and len(scale) == 2
        and all(isinstance(bound, int | float | np.number) for bound in scale)
    )
