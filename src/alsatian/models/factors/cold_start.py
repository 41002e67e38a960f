"""Items and users of whom there is no value, placed by their attributes: genres, words of a title, age ...

After a fit, a ridge regression (attribute_encoding.py) from attributes (attribute_encoding.py) to factors, and another to biases, is learned
on the rows that have values. It gives factors and biases to the rows that have none. Where values are predicted, a row
weighs as many as it has, for so well is it known; where all cells count, all rows are known alike.
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
from alsatian.errors import ParameterError, listed, nearest
from alsatian.models.factors.attribute_encoding import LEAST, features, ridge
from alsatian.models.factors.factor_model import FactorModel
from alsatian.recommender.explanation import Explanation, Shares, explanations
from alsatian.recommender.fit_run import Run
from alsatian.recommender.hyperparameters import Param, check_shapes
from alsatian.recommender.topn import Audience, Mask

POWER = {True: 1.0, False: 0.0}  # of a row's count, as its weight, by `predicts`: confirmed by bench/attributes.py


@dataclass(frozen=True)
class Names(Param):
    """Names of columns: several, or one text with commas."""

    def check(self, name: str, value: Any) -> tuple[str, ...] | None:
        names = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
        if names is None:
            return None
        if not isinstance(names, list | tuple) or not names or not all(isinstance(one, str) and one for one in names):
            raise ParameterError(f"{name}={value!r} names no columns; pass names, such as 'genres,year'.")
        return tuple(names)

    def parse(self, name: str, written: str) -> tuple[str, ...] | None:
        return self.check(name, None if written.lower() in ("", "none") else written)

    def plain(self, value: Any) -> list[str] | None:
        return None if value is None else list(value)


def _names(doc: str) -> Any:
    return Names(None, doc, tuple)


class Described(NamedTuple):
    """One side of the data, whose rows are to be placed by these columns of its table."""

    side: str
    names: tuple[str, ...]
    table: Catalog
    counts: NDArray[np.int64]

    def check(self) -> None:
        """Raise ParameterError where a column is not there."""
        columns = list(self.table.columns)
        for name in self.names:
            if not columns:
                raise ParameterError(
                    f"{self.side}_attributes={name!r} needs a table of the {self.side}s, and this data has none; read "
                    f"it with {self.side}s= (--{self.side}s FILE)."
                )
            if name not in columns:
                raise ParameterError(
                    f"{self.side}_attributes={name!r} is no column of the {self.side}s; they have {listed(columns)}."
                    f"{nearest(name, columns)}"
                )

    def features(self) -> Any:
        found = features(self.table, self.names, self.counts > 0)
        if not found.shape[1]:
            raise ParameterError(
                f"{self.side}_attributes={','.join(self.names)!r} holds nothing that {LEAST} {self.side}s with values "
                "share; name other columns."
            )
        return found


class PlacingModel(FactorModel):
    """A factor model that can place items and users without values by their attributes.

    placed_items (items), placed_users (users): which rows were placed so, or None where nothing was asked for.
    """

    learned: ClassVar[tuple[str, ...]] = (*FactorModel.learned, "placed_items", "placed_users")
    item_attributes: tuple[str, ...] | None = _names(
        "columns of the catalog that place items without values, such as genres,year"
    )
    user_attributes: tuple[str, ...] | None = _names(
        "columns of the users' table that place users without values, such as age,gender"
    )

    @abstractmethod
    def _learn(self, data: Interactions, run: Run) -> dict[str, Any]:
        """Return the learned arrays by name; rows without values are yet to be placed."""

    def _described(self, data: Interactions) -> list[Described]:
        sides = (
            ("item", self.item_attributes, data.catalog, data.item_counts),
            ("user", self.user_attributes, data.profiles, data.by_user.counts),
        )
        return [Described(side, names, table, counts) for side, names, table, counts in sides if names]

    def _check(self, data: Interactions) -> None:
        super()._check(data)
        for described in self._described(data):
            described.check()

    def _fit(self, data: Interactions, run: Run) -> dict[str, Any]:
        known = [(described, described.features()) for described in self._described(data)]
        learned = self._learn(data, run)
        for (side, _, _, counts), words in known:
            cold, weights = (counts == 0) & (np.diff(words.indptr) > 0), counts ** POWER[self.predicts]
            for name in (f"{side}_factors", f"{side}_bias"):
                if learned[name] is not None:
                    learned[name] = _placed(learned[name], words, weights, counts > 0, cold)
            if getattr(self, "nonnegative", False):
                np.maximum(learned[f"{side}_factors"], 0, out=learned[f"{side}_factors"])
            learned[f"placed_{side}s"] = cold
        return learned

    def check_learned(self, data: Interactions, learned: Mapping[str, Any]) -> None:
        super().check_learned(data, learned)
        sides = (("items", self.item_attributes, data.item_ids), ("users", self.user_attributes, data.user_ids))
        check_shapes(learned, {f"placed_{side}": (len(ids),) for side, names, ids in sides if names})

    def _known(self, rows: NDArray[np.int32]) -> Audience:
        return super()._known(rows)._replace(placed=self.placed_users)

    def _told(self, audience: Audience, row: int, items: list[int], most: int | None = None) -> list[Explanation]:
        """Explain; whoever is placed has no history that could speak for an item, so all of the score is its base."""
        person = {"user": self.user_attributes or ()} if audience.placed is not None and audience.placed[row] else {}
        if person:
            alone = audience._replace(rows=np.full(len(items), row, np.int32))
            shares = Shares(self._predict(alone, np.array(items, np.int32)), np.zeros((0, len(items))))
            told = explanations(self.data, audience.seen.take(np.array([row])), items, shares)
        else:
            told = super()._told(audience, row, items, most)
        by_item = {"item": self.item_attributes or ()}
        by = [person if self.placed_items is None or not self.placed_items[at] else person | by_item for at in items]
        return [replace(one, placed_by=sides) for one, sides in zip(told, by, strict=True)]


def _placed(array: NDArray[Any], words: Any, weights: NDArray[np.floating], known: Mask, cold: Mask) -> NDArray[Any]:
    """Return the rows of an array, those that are cold as the regression on the known ones predicts them."""
    targets = array[known].reshape(known.sum(), -1).astype(np.float64)
    intercepts, coefficients = ridge(words[known], targets, weights[known].astype(np.float64))
    whole = array.copy()
    whole[cold] = (intercepts + words[cold] @ coefficients).reshape(-1, *array.shape[1:])
    return whole
