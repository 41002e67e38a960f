"""Item titles and attributes: search by title, filter by attribute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alsatian._util.string_array import StringArray
from alsatian.data.id_map import Id, IdMap
from alsatian.data.item_filters import ItemFilter
from alsatian.data.title_search import Match, TitleIndex
from alsatian.data.where_grammar import LIBRARY_LIMITS, Limits
from alsatian.errors import DataError, ModelFileError, ParameterError

__all__ = ["Catalog", "Column", "Match"]

TITLE = "title"
_COLUMN_DTYPES = {"bool": np.bool_, "int64": np.int64, "float64": np.float64}


@dataclass(frozen=True, eq=False)
class Column:
    """One attribute of all items.

    values: one per item, all of one type. valid: per item, whether its value is present.
    """

    values: StringArray | NDArray[Any]
    valid: NDArray[np.bool_]

    @classmethod
    def from_values(cls, values: Sequence[Any]) -> Column:
        """Infer the type of Python values (None or NaN where missing): bool, int64, float64, else text."""
        python_values = [_to_python(value) for value in values]
        valid = np.array([value is not None for value in python_values], np.bool_)
        kind = _infer_type(python_values)
        if kind == "text":
            return cls(
                StringArray.from_strings("" if value is None else _format_text(value) for value in python_values), valid
            )
        return cls(np.array([0 if value is None else value for value in python_values], _COLUMN_DTYPES[kind]), valid)

    @property
    def type(self) -> str:
        """ "text", "int64", "float64" or "bool"."""
        return "text" if isinstance(self.values, StringArray) else str(self.values.dtype)

    def __len__(self) -> int:
        return len(self.valid)

    def __getitem__(self, row: int) -> Any:
        if not self.valid[row]:
            return None
        return self.values[row] if isinstance(self.values, StringArray) else self.values[row].item()

    def tolist(self) -> list[Any]:
        """Return the values as Python objects, None where missing."""
        return [
            value if valid else None for value, valid in zip(self.values.tolist(), self.valid.tolist(), strict=True)
        ]


@dataclass(frozen=True, eq=False)
class Catalog:
    """Titles and attributes of the items: row r of every column belongs to the item with row number r.

    The column "title" holds the titles; the others are attributes. `Catalog()` has no columns. The attributes of users
    are stored as a `Catalog`, too.
    """

    columns: dict[str, Column] = field(default_factory=dict)

    @classmethod
    def from_columns(cls, item_ids: IdMap, ids: Sequence[Id], columns: Mapping[str, Sequence[Any]]) -> Catalog:
        """Build a catalog from columns in the order of `ids`, reordered by `item_ids`.

        Rows of other items are dropped, and items without a row get missing values. If an item has several rows, the
        first is used. Raises DataError if a column and `ids` differ in length, or if column names differ only in case.

        >>> item_ids = IdMap.from_ids(["up", "cars"], "item")
        >>> Catalog.from_columns(item_ids, ["up"], {"title": ["Up (2009)"], "minutes": [96]}).title_of(1)
        'Up (2009)'
        """
        rows = item_ids.rows(ids)
        source = np.full(len(item_ids) + 1, -1)  # the last element collects the rows of other items
        source[rows[::-1]] = np.arange(len(rows))[::-1]
        positions = source[:-1].tolist()
        _check_columns(columns, len(rows))
        return cls(
            {
                str(name): Column.from_values([values[position] if position >= 0 else None for position in positions])
                for name, values in columns.items()
            }
        )

    def __len__(self) -> int:
        """The number of items; 0 without columns."""
        return len(next(iter(self.columns.values()), ()))

    def __repr__(self) -> str:
        return f"Catalog({len(self):,} items: {', '.join(self.columns) or 'no columns'})"

    def __getstate__(self) -> dict[str, Any]:
        return {"columns": self.columns}  # without the caches below

    @cached_property
    def titles(self) -> list[str | None]:
        """The title of every item, None if it is missing; empty without a title column."""
        if TITLE not in self.columns:
            return []
        return [None if title is None else str(title) for title in self.columns[TITLE].tolist()]

    def title_of(self, row: int) -> str | None:
        """Return the title of the item at `row`, or None."""
        title = self.columns[TITLE][row] if TITLE in self.columns else None
        return None if title is None else str(title)

    def attributes(self, row: int) -> dict[str, Any]:
        """Return the attributes of the item at `row` by column name, without its title; None if missing."""
        return {name: column[row] for name, column in self.columns.items() if name != TITLE}

    @cached_property
    def _title_index(self) -> TitleIndex:
        return TitleIndex(self.titles)

    @cached_property
    def _item_filter(self) -> ItemFilter:
        return ItemFilter(self.columns)

    def find(self, title: str) -> int | None:
        """Return the row of the item with this title, or None if no item or several items have it.

        Case, accents, punctuation, moved articles ("Matrix, The") and a missing year are ignored.
        """
        return self._title_index.find(title)

    def search(self, query: str, weights: ArrayLike | None = None, limit: int = 5) -> list[Match]:
        """Return the items whose titles are most similar to `query`, best first.

        An equal title ranks before titles that start with the query, and these before similar titles. A year in the
        query ("up 2009") is preferred. weights: one per item, such as its number of ratings; they break ties.
        """
        return self._title_index.search(query, weights, limit)

    def match_where(self, where: str, limits: Limits = LIBRARY_LIMITS) -> NDArray[np.bool_]:
        """Return, per item, whether a condition over the columns is true, such as "year >= 1990".

        A test of a missing value is neither true nor false. limits: bounds of the condition, for untrusted text.
        Raises ParameterError if the catalog has no columns, or if `where` is not a valid condition over them.

        >>> catalog = Catalog.from_columns(IdMap.from_ids([1, 2], "item"), [1, 2], {"year": [1988, 1995]})
        >>> catalog.match_where("year >= 1990").tolist()
        [False, True]
        """
        if not self.columns:
            raise ParameterError(
                f"where={str(where)[:300]!r} requires a catalog, but this model has none; train it on data read with "
                "items= (--items FILE)."
            )
        return self._item_filter.evaluate(where, limits)

    def to_arrays(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the arrays for a model file, and the description that `from_arrays` also needs."""
        arrays: dict[str, NDArray[Any]] = {}
        for index, column in enumerate(self.columns.values()):
            values = column.values
            arrays[f"catalog.{index}.values"] = values.data if isinstance(values, StringArray) else values
            if isinstance(values, StringArray):
                arrays[f"catalog.{index}.offsets"] = values.offsets
            arrays[f"catalog.{index}.valid"] = column.valid
        return arrays, {"columns": [{"name": n, "type": c.type} for n, c in self.columns.items()]}

    @classmethod
    def from_arrays(cls, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Catalog:
        """Build a catalog from the result of `to_arrays`; raises ModelFileError if the arrays are inconsistent."""
        columns = {}
        for index, spec in enumerate(description["columns"]):
            name = spec["name"]
            values, valid, offsets = (arrays.get(f"catalog.{index}.{part}") for part in ("values", "valid", "offsets"))
            if values is None or valid is None or not _is_valid_column(spec["type"], values, offsets, valid):
                raise ModelFileError(f"column {name!r} of the catalog is damaged; save the model again.")
            columns[name] = Column(StringArray(values, offsets) if offsets is not None else values, valid)
        if len({len(column) for column in columns.values()}) > 1:
            raise ModelFileError("the columns of the catalog differ in length; save the model again.")
        return cls(columns)


def _check_columns(columns: Mapping[str, Sequence[Any]], n_rows: int) -> None:
    lower: dict[str, str] = {}
    for name, values in columns.items():
        if len(values) != n_rows:
            raise DataError(
                f"column {name!r} of the items has {len(values):,} values for {n_rows:,} ids; pass one per id."
            )
        if (other := lower.setdefault(str(name).lower(), str(name))) != name:
            raise DataError(f"columns {other!r} and {name!r} of the items differ only in case; rename one.")


def _to_python(value: Any) -> Any:
    """Convert NumPy scalars to Python objects and NaN to None."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and value != value else value


def _infer_type(values: Sequence[Any]) -> str:
    types = {type(value) for value in values if value is not None}
    if types == {bool}:
        return "bool"
    if types == {int} and all(value is None or -(2**63) <= value < 2**63 for value in values):
        return "int64"
    return "float64" if types == {float} or types == {int, float} else "text"


def _format_text(value: Any) -> str:
    return "|".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _is_valid_column(type_name: str, values: NDArray[Any], offsets: NDArray[Any] | None, valid: NDArray[Any]) -> bool:
    if valid.dtype != np.bool_ or valid.ndim != 1 or values.ndim != 1:
        return False
    if offsets is None:
        return type_name in _COLUMN_DTYPES and values.dtype == _COLUMN_DTYPES[type_name] and len(values) == len(valid)
    is_ascending = (
        offsets.dtype == np.int64 and offsets.shape == (len(valid) + 1,) and bool((np.diff(offsets) >= 0).all())
    )
    is_complete = values.dtype == np.uint8 and is_ascending and offsets[0] == 0 and offsets[-1] == len(values)
    return type_name == "text" and is_complete
