"""Who did what with which item: frozen, sorted, in compressed rows by user and by item."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian._util.string_array import StringArray
from alsatian.data.catalog import Catalog
from alsatian.data.csr import CSR, freeze
from alsatian.data.deduplication import SortedPairs
from alsatian.data.fitted_recipe import FittedRecipe
from alsatian.data.id_map import IdMap
from alsatian.data.recipe import Recipe
from alsatian.errors import DataError, ParameterError, RowsError


@dataclass(frozen=True)
class ReadReport:
    """What happened to the rows on the way in. Every row is accounted for: kept + skipped + combined = read."""

    read: int = 0
    skipped: dict[str, int] = field(default_factory=dict)  # reason -> rows left out, as the user chose
    combined: int = 0  # rows that went into another row of the same pair, by the duplicates rule
    notes: tuple[str, ...] = ()  # other things worth knowing, one sentence each

    def to_json(self) -> dict[str, Any]:
        return {
            "read": self.read,
            "skipped": self.skipped,
            "combined": self.combined,
            "notes": list(self.notes),
        }


class RowArrays:
    """Rows to be sorted, by column: row numbers of users and items, values, and times and weights or None.

    Each array has one entry per row. `release` hands them over, so that an array can be freed once it is sorted.
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
        """Raise DataError where there are no rows, or values or weights that are not valid numbers."""
        values, weights = self.values, self.weights
        if len(self.users) == 0:
            raise DataError("there are no rows to learn from; check the source and what was skipped.")
        if not np.isfinite([values.min(), values.max()]).all():
            row = int(np.argmin(np.isfinite(values)))
            raise DataError(
                f"values are finite numbers, and that of row {row:,} is {values[row]}; leave such rows out."
            )
        if weights is not None and not (weights.min() >= 0 and 0 < weights.max() < np.inf):
            raise DataError("weights are finite numbers of at least 0, and not all 0; check the column of weights.")

    def release(self) -> tuple[NDArray[np.int32], list[Any]]:
        """Return the users, and a list of items, values, times and weights, and keep none of them."""
        users, columns = self.users, [self.items, self.values, self.times, self.weights]
        del self.users, self.items, self.values, self.times, self.weights
        return users, columns


@dataclass(frozen=True, eq=False)
class Interactions:
    """The observed values of users and items.

    by_user: the entries sorted by user, then item; no pair twice. Values in the unit of the source.
    times: seconds since 1970 (UTC) of each entry, in the order of `by_user`, or None.
    scale: the smallest and the largest value that the source declares, or else holds.
    catalog, user_table: what is known of the items, and of the users. A model file keeps no table of users.
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
        """Sort rows of row numbers and values; combine duplicate pairs by `recipe.duplicates` (None: "raise").

        The arrays have one entry per row, and stay as they are.

        Raises RowsError when pairs repeat and the rule is "raise", DataError when there are no rows or numbers
        that are not finite.
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
        """Do the same with less memory: sort arrays where they lie, and free each once it is sorted.

        `arrays` is empty afterwards; the caller keeps no other reference to them. Raises what `build` raises.
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

    @cached_property
    def by_item(self) -> CSR:
        """The same entries sorted by item, then user."""
        return self.by_user.transpose()

    @cached_property
    def item_counts(self) -> NDArray[np.int64]:
        """How many entries each item has."""
        return np.bincount(self.items, minlength=len(self.item_ids))

    @cached_property
    def mean(self) -> float:
        """The mean of the values, weighted where they have weights."""
        if (weights := self.by_user.weights) is None:
            return float(self.values.mean(dtype=np.float64))
        return float(np.average(self.values.astype(np.float64), weights=weights.astype(np.float64)))

    @property
    def users(self) -> NDArray[np.int32]:
        """The user's row number of each entry (made anew at each call)."""
        return self.by_user.row_numbers

    @property
    def items(self) -> NDArray[np.int32]:
        return self.by_user.indices

    @property
    def values(self) -> NDArray[np.float32]:
        return self.by_user.values

    def where(self, mask: NDArray[np.bool_]) -> Interactions:
        """Keep the entries at which `mask` (in the order of `by_user`) is true; ids keep their numbers."""
        if mask.dtype != np.bool_ or mask.shape != self.values.shape:
            raise ParameterError(
                f"a mask is {len(self):,} values true or false, one an entry, not {mask.dtype} of shape {mask.shape}."
            )
        times = None if self.times is None else self.times[mask]
        return replace(self, by_user=self.by_user.where(mask), times=times)

    def binarize(self, min_rating: float | None = None) -> Interactions:
        """Return the entries of at least this value (None: all of them) as likes: the value 1 each.

        The recipe remembers the threshold, so a visitor's ratings become likes in the same way.
        """
        if self.recipe.min_rating is not None:
            if min_rating is None:
                return self
            raise DataError(f"these are likes already, of at least {self.recipe.min_rating:g}; start from the ratings.")
        if self.recipe.makes_confidences or self.recipe.has_core:
            raise DataError("these values were made by a recipe; put min_rating into it: Recipe(min_rating=...).")
        bound = float(self.values.min()) if min_rating is None else float(min_rating)
        liked = self.where(self.values >= bound)
        if len(liked) == 0:
            raise DataError(f"no value is at least {bound:g}; the largest is {self.values.max():g}.")
        ones = replace(liked.by_user, values=np.ones(len(liked), np.float32))
        return replace(liked, by_user=ones, scale=(1.0, 1.0), recipe=replace(self.recipe, min_rating=bound))

    @cached_property
    def digest(self) -> str:
        """A SHA-256 over ids and entries: equal data, equal digest, whatever the order of the rows."""
        sha = hashlib.sha256()
        arrays: list[Any] = [self.by_user.indptr, self.items, self.values, self.by_user.weights]
        for values in (self.user_ids.values, self.item_ids.values):
            arrays += [values.offsets, values.data] if isinstance(values, StringArray) else [values]
        for array in arrays:
            if array is not None:
                sha.update(np.ascontiguousarray(array).data)
        return sha.hexdigest()
