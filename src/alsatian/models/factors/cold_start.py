"""Cold start: items and users without values are scored from their attributes, such as genres, title words or age.

After a fit, ridge regressions from attributes to factors and to biases are learned on the rows that have values
(attribute_encoding.py). They predict the factors and biases of the rows without values. In a model that predicts
ratings, the weight of a row in the regression is its number of values, because its factors are that much better known.
In other models all rows have the same weight.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian.data.catalog import Catalog
from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError, did_you_mean, join_names
from alsatian.models.factors.attribute_encoding import MIN_ROWS_PER_FEATURE, encode_attributes, ridge
from alsatian.models.factors.factor_model import FactorModel, FactorUserBatch
from alsatian.recommender.explanation import Contributions, Explanation, build_explanations
from alsatian.recommender.fit_run import FitRun
from alsatian.recommender.hyperparameters import Param, check_shapes
from alsatian.recommender.topn import Mask

# The weight of a row is its count to this power, by `predicts_ratings`. Confirmed by `python -m bench cold_start`.
COUNT_WEIGHT_EXPONENT = {True: 1.0, False: 0.0}


@dataclass(frozen=True)
class ColumnNamesParam(Param):
    """Column names: a list, or one string separated by commas."""

    def check(self, name: str, value: Any) -> tuple[str, ...] | None:
        names = [column.strip() for column in value.split(",")] if isinstance(value, str) else value
        if names is None:
            return None
        if (
            not isinstance(names, list | tuple)
            or not names
            or not all(isinstance(column_name, str) and column_name for column_name in names)
        ):
            raise ParameterError(f"{name}={value!r} is not a list of column names; pass names, such as 'genres,year'.")
        return tuple(names)

    def parse(self, name: str, text: str) -> tuple[str, ...] | None:
        return self.check(name, None if text.lower() in ("", "none") else text)

    def to_json(self, value: Any) -> list[str] | None:
        return None if value is None else list(value)


def _column_names_param(doc: str) -> Any:
    return ColumnNamesParam(None, doc, tuple)


class AttributeSide(NamedTuple):
    """One side of the data, and the columns of its table from which rows without values are scored."""

    side: str
    columns: tuple[str, ...]
    table: Catalog
    counts: NDArray[np.int64]

    def validate(self) -> None:
        """Raise ParameterError if a column is missing."""
        columns = list(self.table.columns)
        for name in self.columns:
            if not columns:
                raise ParameterError(
                    f"{self.side}_attributes={name!r} needs a table of the {self.side}s, and this data has none; pass "
                    f"{self.side}s= when reading (--{self.side}s FILE)."
                )
            if name not in columns:
                raise ParameterError(
                    f"{self.side}_attributes={name!r} is not a column of the {self.side} table; choose from "
                    f"{join_names(columns)}.{did_you_mean(name, columns)}"
                )

    def encode(self) -> Any:
        """Return the sparse matrix (rows, features) of the attributes. Raises ParameterError if it has no feature."""
        matrix = encode_attributes(self.table, self.columns, self.counts > 0)
        if not matrix.shape[1]:
            raise ParameterError(
                f"{self.side}_attributes={','.join(self.columns)!r} has no feature that {MIN_ROWS_PER_FEATURE} "
                f"{self.side}s with values share; choose other columns."
            )
        return matrix


class ColdStartFactorModel(FactorModel):
    """A factor model that can score items and users without values from their attributes.

    cold_items (items), cold_users (users): masks of the rows whose factors come from attributes, or None if no
    attributes are used.
    """

    state_arrays: ClassVar[tuple[str, ...]] = (*FactorModel.state_arrays, "cold_items", "cold_users")
    item_attributes: tuple[str, ...] | None = _column_names_param(
        "catalog columns from which items without values are scored, such as genres,year"
    )
    user_attributes: tuple[str, ...] | None = _column_names_param(
        "user table columns from which users without values are scored, such as age,gender"
    )

    @abstractmethod
    def _fit_factors(self, data: Interactions, run: FitRun) -> dict[str, Any]:
        """Return the learned arrays by name. The rows without values are filled in afterwards."""

    def _attribute_sides(self, data: Interactions) -> list[AttributeSide]:
        sides = (
            ("item", self.item_attributes, data.catalog, data.item_counts),
            ("user", self.user_attributes, data.user_table, data.by_user.counts),
        )
        return [AttributeSide(side, names, table, counts) for side, names, table, counts in sides if names]

    def validate_data(self, data: Interactions) -> None:
        super().validate_data(data)
        for side in self._attribute_sides(data):
            side.validate()

    def fit_state(self, data: Interactions, run: FitRun) -> dict[str, Any]:
        encodings = [(attribute_side, attribute_side.encode()) for attribute_side in self._attribute_sides(data)]
        state = self._fit_factors(data, run)
        for (side, _, _, counts), matrix in encodings:
            cold = (counts == 0) & (np.diff(matrix.indptr) > 0)
            weights = counts ** COUNT_WEIGHT_EXPONENT[self.predicts_ratings]
            for name in (f"{side}_factors", f"{side}_bias"):
                if state[name] is not None:
                    state[name] = _fill_cold_rows(state[name], matrix, weights, counts > 0, cold)
            if getattr(self, "nonnegative", False):
                np.maximum(state[f"{side}_factors"], 0, out=state[f"{side}_factors"])
            state[f"cold_{side}s"] = cold
        return state

    def validate_state(self, data: Interactions, state: Mapping[str, Any]) -> None:
        super().validate_state(data, state)
        sides = (("items", self.item_attributes, data.item_ids), ("users", self.user_attributes, data.user_ids))
        check_shapes(state, {f"cold_{side}": (len(ids),) for side, names, ids in sides if names})

    def encode_users(self, rows: NDArray[np.int32]) -> FactorUserBatch:
        batch = super().encode_users(rows)
        return batch if self.cold_users is None else replace(batch, from_attributes=self.cold_users)

    def explanations(
        self, batch: FactorUserBatch, row: int, items: list[int], limit: int | None = None
    ) -> list[Explanation]:
        """Return the explanation of each item. A user scored from attributes has no reasons: the score is the base."""
        user_attributes = (
            {"user": self.user_attributes or ()}
            if batch.from_attributes is not None and batch.from_attributes[row]
            else {}
        )
        if user_attributes:
            pair_batch = batch.with_rows(np.full(len(items), row, np.int32))
            contributions = Contributions(
                self.score_pairs(pair_batch, np.array(items, np.int32)), np.zeros((0, len(items)))
            )
            results = build_explanations(self.data, batch.histories.take(np.array([row])), items, contributions)
        else:
            results = super().explanations(batch, row, items, limit)
        item_attributes = {"item": self.item_attributes or ()}
        attributes_per_item = [
            user_attributes
            if self.cold_items is None or not self.cold_items[item]
            else user_attributes | item_attributes
            for item in items
        ]
        return [
            replace(explanation, placed_by=attributes)
            for explanation, attributes in zip(results, attributes_per_item, strict=True)
        ]


def _fill_cold_rows(
    array: NDArray[Any], features: Any, weights: NDArray[np.floating], warm: Mask, cold: Mask
) -> NDArray[Any]:
    """Return a copy of an array whose cold rows are predicted by the regression on the warm rows."""
    targets = array[warm].reshape(warm.sum(), -1).astype(np.float64)
    intercepts, coefficients = ridge(features[warm], targets, weights[warm].astype(np.float64))
    filled = array.copy()
    filled[cold] = (intercepts + features[cold] @ coefficients).reshape(-1, *array.shape[1:])
    return filled
