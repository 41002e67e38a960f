"""The interactions of users with items: frozen, sorted, in compressed sparse rows by user and by item."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian._util.html_table import HtmlRepr
from alsatian._util.string_array import StringArray
from alsatian._util.text_table import TextTable
from alsatian.data.catalog import Catalog
from alsatian.data.csr import CSR, freeze
from alsatian.data.deduplication import SortedPairs
from alsatian.data.fitted_recipe import FittedRecipe
from alsatian.data.id_map import IdMap
from alsatian.data.recipe import Recipe
from alsatian.errors import DataError, ParameterError, RowsError


@dataclass(frozen=True)
class ReadReport:
    """What happened to the rows of the source: kept + skipped + combined = read."""

    read: int = 0
    skipped: dict[str, int] = field(default_factory=dict)  # reason -> number of rows left out, as the options say
    combined: int = 0  # rows merged into another row of the same pair, by the duplicates rule
    notes: tuple[str, ...] = ()  # other remarks, one sentence each

    def to_json(self) -> dict[str, Any]:
        """Return the counts and notes as a JSON object, as stored in a model file."""
        return {
            "read": self.read,
            "skipped": self.skipped,
            "combined": self.combined,
            "notes": list(self.notes),
        }


class RowArrays:
    """Unsorted rows, by column: row numbers of users and items, values, times (or None) and weights (or None).

    Each array has one entry per row. `release` gives up the references, so that each array can be freed once it is
    sorted.
    """

    def __init__(
        self,
        users: NDArray[np.int32],
        items: NDArray[np.int32],
        values: NDArray[np.float32],
        times: NDArray[np.int64] | None = None,
        weights: NDArray[np.float32] | None = None,
    ) -> None:
        self.users, self.items = np.ascontiguousarray(users, np.int32), np.ascontiguousarray(items, np.int32)
        self.values = np.ascontiguousarray(values, np.float32)
        self.times = None if times is None else np.ascontiguousarray(times, np.int64)
        self.weights = None if weights is None else np.ascontiguousarray(weights, np.float32)

    def check(self) -> None:
        """Raise DataError if there are no rows, or if a value or weight is not valid."""
        values, weights = self.values, self.weights
        if len(self.users) == 0:
            raise DataError("there are no rows to train on; check the source and the skipped rows.")
        if not np.isfinite([values.min(), values.max()]).all():
            row = int(np.argmin(np.isfinite(values)))
            raise DataError(
                f"values must be finite numbers, but the value of row {row:,} is {values[row]}; remove such rows."
            )
        if weights is not None and not (weights.min() >= 0 and 0 < weights.max() < np.inf):
            raise DataError("weights must be finite numbers of at least 0, and not all 0; check the weight column.")

    def release(self) -> tuple[NDArray[np.int32], list[Any]]:
        """Return the users, and a list of items, values, times and weights; drop all references to them."""
        users, columns = self.users, [self.items, self.values, self.times, self.weights]
        del self.users, self.items, self.values, self.times, self.weights
        return users, columns


@dataclass(frozen=True, eq=False)
class Interactions(HtmlRepr):
    """The observed values of users and items.

    by_user: the entries sorted by user, then item; each pair occurs once. Values have the unit of the source.
    times: seconds since 1970 (UTC) of each entry, in the order of `by_user`, or None.
    scale: the smallest and the largest value: those that the source declares, otherwise those that occur.
    catalog, user_table: the attributes of the items, and of the users. A model file does not store the user table.
    recipe: the rules by which the values were computed. report: what happened to the rows of the source.
    """

    user_ids: IdMap
    item_ids: IdMap
    by_user: CSR
    scale: tuple[float, float]
    times: NDArray[np.int64] | None = None
    catalog: Catalog = field(default_factory=Catalog)
    user_table: Catalog = field(default_factory=Catalog)
    recipe: FittedRecipe = field(default_factory=FittedRecipe)
    report: ReadReport = field(default_factory=ReadReport)

    def __post_init__(self) -> None:
        freeze(self, "times")

    @classmethod
    def build(
        cls,
        user_ids: IdMap,
        item_ids: IdMap,
        users: NDArray[np.int32],
        items: NDArray[np.int32],
        values: NDArray[np.float32],
        times: NDArray[np.int64] | None = None,
        weights: NDArray[np.float32] | None = None,
        *,
        scale: tuple[float, float] | None = None,
        catalog: Catalog | None = None,
        user_table: Catalog | None = None,
        recipe: Recipe | None = None,
        report: ReadReport | None = None,
    ) -> Interactions:
        """Build from arrays with one entry per row; they are copied, not changed.

        users, items: row numbers. Repeated pairs are combined by `recipe.duplicates` (None: "raise").
        Raises RowsError if pairs repeat and the rule is "raise". Raises DataError if there are no rows, or if a value
        or weight is not finite.
        """
        arrays = RowArrays(users, items, values, times, weights)
        tables = catalog or Catalog(), user_table or Catalog()
        return cls._sort(user_ids, item_ids, arrays, scale, tables, recipe or FittedRecipe(), report, overwrite=False)

    @classmethod
    def build_in_place(
        cls,
        user_ids: IdMap,
        item_ids: IdMap,
        arrays: RowArrays,
        *,
        scale: tuple[float, float] | None,
        catalog: Catalog,
        user_table: Catalog,
        recipe: Recipe,
        report: ReadReport,
    ) -> Interactions:
        """Like `build`, with less memory: sort the arrays in place and free each once it is sorted.

        `arrays` is empty afterwards. The caller must keep no other reference to the arrays. Raises the same errors as
        `build`.
        """
        return cls._sort(user_ids, item_ids, arrays, scale, (catalog, user_table), recipe, report, overwrite=True)

    @classmethod
    def _sort(
        cls,
        user_ids: IdMap,
        item_ids: IdMap,
        arrays: RowArrays,
        scale: tuple[float, float] | None,
        tables: tuple[Catalog, Catalog],
        recipe: Recipe,
        report: ReadReport | None,
        *,
        overwrite: bool,
    ) -> Interactions:
        report = report or ReadReport(read=len(arrays.users))
        arrays.check()
        shape = len(user_ids), len(item_ids)
        pairs = SortedPairs.sort(*arrays.release(), *shape, overwrite)
        if pairs.n_repeated:
            if recipe.duplicates in (None, "raise"):
                raise RowsError(pairs.duplicates_message(user_ids, item_ids))
            report = replace(report, combined=report.combined + pairs.n_repeated)
            pairs = pairs.combine(str(recipe.duplicates))
        by_user = CSR(pairs.indptr, pairs.items, pairs.values, len(item_ids), pairs.weights)
        scale = scale or (float(pairs.values.min()), float(pairs.values.max()))
        return cls(user_ids, item_ids, by_user, scale, pairs.times, *tables, FittedRecipe.from_recipe(recipe), report)

    def __len__(self) -> int:
        return len(self.by_user.indices)

    def __repr__(self) -> str:
        return f"Interactions({len(self):,} values of {len(self.user_ids):,} users and {len(self.item_ids):,} items)"

    @property
    def value_description(self) -> str:
        """The kind and the bounds of the values, in words."""
        if self.recipe.min_rating is not None:
            return f"likes (values of {self.recipe.min_rating:g} and more)"
        low, high = self.scale
        return f"values from {low:g} to {high:,g}" if low < high else f"values, all {low:g}"

    def _html_table(self) -> TextTable:
        """Return how many users and items there are, and how many values each of them has."""
        columns: dict[str, list[str]] = {"side": ["users", "items"]}
        counts_by_side = self.by_user.counts, self.item_counts
        columns["number"] = [f"{len(counts):,}" for counts in counts_by_side]
        for name, share in (("fewest values", 0.0), ("median", 0.5), ("most values", 1.0)):
            columns[name] = [f"{np.quantile(counts, share):,.12g}" if len(counts) else "" for counts in counts_by_side]
        notes = [self.value_description]
        if self.times is not None and len(self.times):
            first, last = (np.datetime64(int(time), "s") for time in (self.times.min(), self.times.max()))
            notes.append(f"times from {first.astype('datetime64[D]')} to {last.astype('datetime64[D]')}")
        tables = {"columns of users": self.user_table, "columns of items": self.catalog}
        notes += [f"{name}: {', '.join(table.columns)}" for name, table in tables.items() if table.columns]
        if self.recipe.rules():
            notes.append(repr(self.recipe))
        return TextTable(repr(self), columns, frozenset(columns) - {"side"}, "\n".join(notes))

    @cached_property
    def by_item(self) -> CSR:
        """The same entries sorted by item, then user."""
        return self.by_user.transpose()

    @cached_property
    def item_counts(self) -> NDArray[np.int64]:
        """The number of entries of each item."""
        return np.bincount(self.items, minlength=len(self.item_ids))

    @cached_property
    def mean(self) -> float:
        """The mean of the values, weighted if there are weights."""
        if (weights := self.by_user.weights) is None:
            return float(self.values.mean(dtype=np.float64))
        return float(np.average(self.values.astype(np.float64), weights=weights.astype(np.float64)))

    @property
    def users(self) -> NDArray[np.int32]:
        """The user's row number of each entry (computed at each call)."""
        return self.by_user.row_numbers

    @property
    def items(self) -> NDArray[np.int32]:
        """The item's row number of each entry."""
        return self.by_user.indices

    @property
    def values(self) -> NDArray[np.float32]:
        """The value of each entry, in the unit of the source."""
        return self.by_user.values

    def where(self, mask: NDArray[np.bool_]) -> Interactions:
        """Keep the entries where `mask` (in the order of `by_user`) is true; ids keep their row numbers."""
        if mask.dtype != np.bool_ or mask.shape != self.values.shape:
            raise ParameterError(
                f"a mask must have {len(self):,} bool values, one per entry, not {mask.dtype} of shape {mask.shape}."
            )
        times = None if self.times is None else self.times[mask]
        return replace(self, by_user=self.by_user.where(mask), times=times)

    def binarize(self, min_rating: float | None = None) -> Interactions:
        """Return the entries with at least this value (None: all entries) as likes, each with the value 1.

        The recipe stores the threshold, so that a visitor's ratings become likes in the same way. Raises DataError if
        the values are already likes, if a recipe computed them, or if no value reaches the threshold.
        """
        if self.recipe.min_rating is not None:
            if min_rating is None:
                return self
            raise DataError(
                f"these values are already likes (min_rating={self.recipe.min_rating:g}); start from the ratings."
            )
        if self.recipe.makes_confidences or self.recipe.has_core:
            raise DataError("these values were computed by a recipe; set min_rating in it: Recipe(min_rating=...).")
        bound = float(self.values.min()) if min_rating is None else float(min_rating)
        liked = self.where(self.values >= bound)
        if len(liked) == 0:
            raise DataError(f"no value is at least {bound:g}; the largest is {self.values.max():g}.")
        ones = replace(liked.by_user, values=np.ones(len(liked), np.float32))
        return replace(liked, by_user=ones, scale=(1.0, 1.0), recipe=replace(self.recipe, min_rating=bound))

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of ids and entries. It does not depend on the order of the rows in the source."""
        sha = hashlib.sha256()
        arrays: list[Any] = [self.by_user.indptr, self.items, self.values, self.by_user.weights]
        for values in (self.user_ids.values, self.item_ids.values):
            arrays += [values.offsets, values.data] if isinstance(values, StringArray) else [values]
        for array in arrays:
            if array is not None:
                sha.update(np.ascontiguousarray(array).data)
        return sha.hexdigest()
