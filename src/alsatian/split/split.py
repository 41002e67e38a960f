"""Split: the parts of a data set for training, validation and evaluation, and the leaks between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian._util.html_table import HtmlRepr
from alsatian._util.parsing import require_finite, require_int
from alsatian._util.text_table import TextTable
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, ParameterError, pluralize
from alsatian.kernels.types import Mask as Mask


class SplitWarning(UserWarning):
    """Held-out values leak into training, or belong to cold users or items; see `Split.warnings`."""


@dataclass(frozen=True, eq=False, repr=False)
class Split(HtmlRepr):
    """The parts of one data set. Users and items have the same row numbers in all parts.

    name: the protocol, as `split.from_spec` parses it. fold: the number of this split within its protocol, from 1.
    train: the values to fit models on. held_out: the values to evaluate on, which models must not see before.
    fold_in: the histories of users who are not in `train`, folded in before their lists are computed (None: no such
        users).
    validation: a split with the same `train`, for choosing models and settings (None: there is none).

    Raises DataError if the parts do not have the same ids in the same order.
    """

    name: str
    train: Interactions
    held_out: Interactions
    fold_in: Interactions | None = None
    validation: Split | None = None
    fold: int | None = None

    def __post_init__(self) -> None:
        for part in (self.held_out, self.fold_in):
            for name in ("user_ids", "item_ids") if part is not None else ():
                train_ids, part_ids = getattr(self.train, name), getattr(part, name)
                if train_ids != part_ids:
                    raise DataError(
                        f"the parts of {self.name} do not have the same {train_ids.side}s in the same order; take "
                        "all parts from one Interactions with where(mask)."
                    )

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {len(part):,}" for name, part in self._parts.items())
        return "\n".join([f"Split({self.label}: {sizes} values)", *self.warnings])

    def _html_table(self) -> TextTable:
        parts = self._parts.values()
        columns = {
            "part": list(self._parts),
            "values": [f"{len(part):,}" for part in parts],
            "users": [f"{np.count_nonzero(part.by_user.counts):,}" for part in parts],
            "items": [f"{np.count_nonzero(part.item_counts):,}" for part in parts],
        }
        figures = frozenset({"values", "users", "items"})
        return TextTable(f"Split({self.label})", columns, figures, "\n".join(self.warnings))

    @property
    def _parts(self) -> dict[str, Interactions]:
        """The parts that there are, by name."""
        parts = {"train": self.train, "fold_in": self.fold_in, "held_out": self.held_out}
        validation = None if self.validation is None else self.validation.held_out
        return {name: part for name, part in (parts | {"validation": validation}).items() if part is not None}

    @property
    def label(self) -> str:
        """The name, and the number of the fold in brackets."""
        return self.name if self.fold is None else f"{self.name} ({self.fold})"

    def binarize(self, min_rating: float | None = None) -> Split:
        """Return the split with likes in all parts: values of at least `min_rating` become 1, others are dropped.

        Raises the same errors as `Interactions.binarize`.
        """
        parts = {name: getattr(self, name) for name in ("train", "held_out", "fold_in", "validation")}
        return replace(self, **{name: part.binarize(min_rating) for name, part in parts.items() if part is not None})

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each kind of leak, and for held-out values that cannot be predicted."""
        return tuple(
            warning
            for warning in (
                self._shared_pairs_warning(),
                self._future_warning(),
                self._cold_users_warning(),
                self._cold_items_warning(),
            )
            if warning
        )

    def _shared_pairs_warning(self) -> str:
        held_out_keys = _pair_keys(self.held_out)
        parts = [self.train] if self.fold_in is None else [self.train, self.fold_in]
        pairs = sum(_count_common(held_out_keys, _pair_keys(part)) for part in parts)
        return (
            f"{_count_of_held_out(pairs, self.held_out)} are also in the training part; split again." if pairs else ""
        )

    def _future_warning(self) -> str:
        training_times = [
            part.times for part in (self.train, self.fold_in) if part is not None and part.times is not None
        ]
        newest = max((int(times.max()) for times in training_times if len(times)), default=None)
        if newest is None or self.held_out.times is None:
            return ""
        older = int((self.held_out.times < newest).sum())
        return (
            f"{_count_of_held_out(older, self.held_out)} are older than the newest training value, so models learn "
            "from the future; split.by_time avoids that."
            if older
            else ""
        )

    def _cold_users_warning(self) -> str:
        cold_users = self.cold_users
        return (
            f"{_count_of_held_out(int(self.held_out.by_user.counts[cold_users].sum()), self.held_out)} are of "
            f"{pluralize(len(cold_users), 'user')} without other values."
            if len(cold_users)
            else ""
        )

    def _cold_items_warning(self) -> str:
        cold_items = self.cold_items
        return (
            f"{_count_of_held_out(int(self.held_out.item_counts[cold_items].sum()), self.held_out)} are of "
            f"{pluralize(len(cold_items), 'item')} without training values."
            if len(cold_items)
            else ""
        )

    @cached_property
    def cold_users(self) -> NDArray[np.intp]:
        """The row numbers of held-out users without a value in `train` or `fold_in`."""
        known_counts = self.train.by_user.counts + (0 if self.fold_in is None else self.fold_in.by_user.counts)
        return np.flatnonzero((self.held_out.by_user.counts > 0) & (known_counts == 0))

    @cached_property
    def cold_items(self) -> NDArray[np.intp]:
        """The row numbers of held-out items without a value in `train`."""
        return np.flatnonzero((self.held_out.item_counts > 0) & (self.train.item_counts == 0))


def make_split(
    name: str, data: Interactions, draw: Callable[[Interactions, Any], Mask], size: Any, validation: Any
) -> Split:
    """Return a split that holds out the mask `draw(data, size)`, and for validation `draw(rest, validation)`.

    Raises DataError if a part is empty.
    """
    held_out_mask = draw(check_data(name, data), size)
    train, held_out = data.where(~held_out_mask), data.where(held_out_mask)
    _check_parts(name, train, held_out)
    if not validation:
        return Split(name, train, held_out)
    inner_split = make_split(f"{name}, validation", train, draw, validation, 0)
    return Split(name, inner_split.train, held_out, validation=inner_split)


def _check_parts(name: str, train: Interactions, held_out: Interactions) -> None:
    if len(held_out) == 0:
        raise DataError(
            f"{name} holds nothing out of {pluralize(len(train), 'value')}; hold out more, or use more data."
        )
    if len(train) == 0:
        raise DataError(f"{name} leaves nothing to train on; hold out less.")


def check_data(name: str, data: object) -> Interactions:
    """Return `data` if it is Interactions; raises ParameterError otherwise. name: the protocol."""
    if not isinstance(data, Interactions):
        raise ParameterError(f"{name} takes Interactions, not {type(data).__name__}; pass al.read(...).")
    return data


def make_rng(seed: object) -> np.random.Generator:
    """Return a random generator with this seed; raises ParameterError for a seed that is not valid."""
    return np.random.default_rng(require_int("seed", seed, 0))


def check_share(name: str, share: object) -> float:
    """Return `share` if it is above 0 and below 1; raises ParameterError otherwise."""
    value = require_finite(name, share)
    if not 0 < value < 1:
        raise ParameterError(f"{name}={value:g} is not a valid share; pass a number between 0 and 1, such as 0.2.")
    return value


def _pair_keys(data: Interactions) -> NDArray[np.int64]:
    """Return a key per pair of user and item, in ascending order."""
    return data.users * np.int64(len(data.item_ids)) + data.items


def _count_common(keys: NDArray[np.int64], other_keys: NDArray[np.int64]) -> int:
    """Return the number of common keys of two ascending arrays."""
    positions = np.searchsorted(other_keys, keys)
    in_range = positions < len(other_keys)
    return int((other_keys[positions[in_range]] == keys[in_range]).sum())


def _count_of_held_out(count: int, held_out: Interactions) -> str:
    return f"{count:,} of {pluralize(len(held_out), 'held-out value')}"
