"""A recipe fitted to data: it computes the values, from its rules and the statistics of the data that they need.

A model stores it, so that a visitor's rows are processed in the same way as the training data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.data import weighting
from alsatian.data.recipe import RULES, Recipe
from alsatian.errors import DataError, ParameterError

Float32Array = NDArray[np.float32]
_DEFAULT_K1, _DEFAULT_B, _DEFAULT_LENGTH = 1.2, 0.75, "user"


@dataclass(frozen=True, repr=False)
class FittedRecipe(Recipe):
    """A recipe with the statistics of the data that it needs, and the options with which the source was read.

    reading: the other options of `read` that affected the rows (where, bad_rows, scale, delimiter, query), so that the
        source can be read again in the same way.
    fitted: statistics of the data: "reference" (the time from which ages are measured), "signals" (their scalers),
        "bm25" (the number and average length of documents).
    item_counts: for BM25, one number per item, or None: its number of users if users are the documents, its length
        (the sum of its values) if items are.
    """

    reading: dict[str, Any] = field(default_factory=dict)
    fitted: dict[str, Any] = field(default_factory=dict)
    item_counts: NDArray[Any] | None = field(default=None, compare=False)

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> FittedRecipe:
        """Return the recipe as a FittedRecipe; one that already is one is returned unchanged."""
        return recipe if isinstance(recipe, cls) else cls(**{name: getattr(recipe, name) for name in RULES})

    @property
    def rules_only(self) -> Recipe:
        """The rules without the statistics of the data to which they were fitted."""
        return Recipe(**{name: getattr(self, name) for name in RULES})

    def event_weights(self, names: Sequence[str]) -> Float32Array:
        """Return the weight of each event; NaN for an event without a weight."""
        default = np.nan if isinstance(self.unknown_events, str) else self.unknown_events
        return np.array([self.events.get(name, default) for name in names], np.float32)

    def row_values(
        self,
        values: Float32Array,
        weights: Float32Array | None,
        signals: Mapping[str, Float32Array],
        times: NDArray[np.int64] | None,
    ) -> Float32Array:
        """Return the value of each row, from its source value, the weight of its event, its signals and its age."""
        if self.signals:
            scalers = self.fitted["signals"]
            parts = [
                weight * weighting.apply_scaler(signals[name], scalers[name]) for name, weight in self.signals.items()
            ]
            values = np.sum(parts, axis=0).astype(np.float32)
        if weights is not None:
            values = values * weights
        return values if self.min_rating is not None else self._apply_decay(values, times)

    def pair_values(
        self, values: Float32Array, times: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.bool_], Float32Array]:
        """Return a mask of the pairs to keep, given their combined values, and the value of each kept pair."""
        if self.min_rating is not None:
            mask = values >= self.min_rating
            return mask, self._apply_decay(np.ones(int(mask.sum()), np.float32), None if times is None else times[mask])
        mask = values != 0 if self.signals else np.ones(len(values), np.bool_)
        return mask, values[mask]

    def _apply_decay(self, values: Float32Array, times: NDArray[np.int64] | None) -> Float32Array:
        if self.half_life is None or times is None:
            return values
        assert isinstance(self.half_life, float)
        return (values * weighting.half_life_decay(times, self.fitted["reference"], self.half_life)).astype(np.float32)

    def confidences(self, values: Float32Array, users: NDArray[Any], items: NDArray[Any]) -> Float32Array:
        """Return the confidence of each pair; `items` are row numbers. All pairs of a user must be included.

        Raises DataError for a negative value.
        """
        if self.confidence == "none":
            return values
        if (low := values.min(initial=0)) < 0:
            raise DataError(
                f"confidence={self.confidence!r} requires values of at least 0, but the smallest is {low:g}; "
                "remove such rows."
            )
        if self.confidence == "log":
            return np.log1p(values)
        assert self.item_counts is not None
        statistics = self.fitted["bm25"]
        weights = weighting.bm25(values.astype(np.float64), users, items, statistics, self.item_counts, *self._bm25)
        return weights.astype(np.float32)

    @property
    def _bm25(self) -> tuple[float, float, str]:
        return (
            _DEFAULT_K1 if self.k1 is None else self.k1,
            _DEFAULT_B if self.b is None else self.b,
            self.length or _DEFAULT_LENGTH,
        )

    def fit_rows(self, signals: Mapping[str, Float32Array], times: NDArray[np.int64] | None) -> FittedRecipe:
        """Return this recipe with the statistics of rows that its rules need; existing statistics are kept.

        Raises DataError for a constant signal, or for a half-life without times.
        """
        fitted: dict[str, Any] = {}
        if self.signals:
            fitted["signals"] = {name: weighting.fit_scaler(signals[name], self.normalize) for name in self.signals}
            for name, scaler in fitted["signals"].items():
                if "signals" not in self.fitted and scaler["at"][0] == scaler["at"][-1]:
                    raise DataError(f"signal {name!r} is {scaler['at'][0]:g} in all rows; drop it.")
        if self.half_life is not None:
            if times is None:
                raise DataError("half_life requires times; name their column with time= (--time).")
            fitted["reference"] = int(times.max()) if self.reference_date is None else self.reference_date
        return replace(self, fitted=fitted | self.fitted)

    def fit_pairs(self, values: Float32Array, users: NDArray[Any], items: NDArray[Any], n_items: int) -> FittedRecipe:
        """Return this recipe with the statistics of all pairs that BM25 needs.

        Raises ParameterError if it already has the statistics of other data.
        """
        if self.confidence != "bm25":
            return self
        if "bm25" in self.fitted:
            raise ParameterError("the BM25 statistics of this recipe belong to other data; pass recipe.rules_only.")
        statistics, counts = weighting.bm25_counts(values.astype(np.float64), users, items, n_items, self._bm25[2])
        return replace(self, fitted=self.fitted | {"bm25": statistics}, item_counts=counts)

    def to_json(self) -> dict[str, Any]:
        """Return all fields except `item_counts`, which the model file stores as an array."""
        record = asdict(replace(self, item_counts=None))
        del record["item_counts"]
        return record

    @classmethod
    def from_json(cls, record: dict[str, Any], item_counts: NDArray[Any] | None = None) -> FittedRecipe:
        """Build a recipe from the result of `to_json`; fields of a newer version are ignored."""
        field_names = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in record.items() if name in field_names}, item_counts=item_counts)
