"""`EnsembleModel`: a model that combines other models, fitted on the same data and saved in one model file."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions
from alsatian.recommender.fit_run import FitRun
from alsatian.recommender.model import Model
from alsatian.recommender.topn import any_mask
from alsatian.recommender.user_batch import UserBatch, history_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsembleUserBatch(UserBatch):
    """Users as a batch of each member."""

    member_batches: tuple[UserBatch, ...]

    def batches_of_members(self, rows: NDArray[np.int32]) -> list[UserBatch]:
        """Return the given rows as a batch of each member."""
        return [member_batch.with_rows(rows) for member_batch in self.member_batches]


class EnsembleModel(Model[EnsembleUserBatch]):
    """The base of Blend and Fallback. The array `x` of member 0 is the array "0.x" of the ensemble.

    An ensemble can score the users and items that any of its members can score, also from attributes (cold_users,
    cold_items).
    """

    @property
    @abstractmethod
    def members(self) -> Sequence[Model]:
        """The models that are combined, in order."""

    @property
    def state_arrays(self) -> tuple[str, ...]:  # type: ignore[override]
        """The arrays of all members: array `x` of member 0 is "0.x"."""
        return tuple(
            f"{position}.{name}" for position, member in enumerate(self.members) for name in member.state_arrays
        )

    @property
    def iterates(self) -> bool:  # type: ignore[override]
        """Whether the fit of any member runs in epochs."""
        return any(member.iterates for member in self.members)

    @property
    def default_like_value(self) -> float:
        """The largest default of the members."""
        return max(member.default_like_value for member in self.members)

    @property
    def value_range(self) -> tuple[float, float] | None:
        return next((member.value_range for member in self.members if member.value_range), None)

    def validate_data(self, data: Interactions) -> None:
        for member in self.members:
            member.validate_data(data)

    def validate_values(self, values: NDArray[np.float32]) -> None:
        for member in self.members:
            member.validate_values(values)

    def validate_state(self, data: Interactions, state: Mapping[str, Any]) -> None:
        for position, member in enumerate(self.members):
            member.validate_state(data, _member_arrays(state, position))

    def fit_state(self, data: Interactions, run: FitRun) -> dict[str, Any]:
        state: dict[str, Any] = {}
        for position, member in enumerate(self.members):
            arrays = member.fit_state(data, run.for_member(member))
            state |= {f"{position}.{name}": array for name, array in arrays.items()}
        return state

    def build_caches(self) -> None:
        for position, member in enumerate(self.members):
            member.set_state(self.data, _member_arrays(vars(self), position), [], self.training)
        self.cold_users = any_mask(member.cold_users for member in self.members)
        self.cold_items = any_mask(member.cold_items for member in self.members)

    def encode_users(self, rows: NDArray[np.int32]) -> EnsembleUserBatch:
        member_batches = tuple(member.encode_users(rows) for member in self.members)
        return EnsembleUserBatch(self.data.by_user, rows, self.cold_users, member_batches=member_batches)

    def encode_histories(self, history: CSR) -> EnsembleUserBatch:
        member_batches = tuple(member.encode_histories(history) for member in self.members)
        return EnsembleUserBatch(history, history_rows(history), member_batches=member_batches)


def _member_arrays(arrays: Mapping[str, Any], position: int) -> dict[str, Any]:
    """Return the arrays of one member, without the prefix of their names."""
    return {
        name.removeprefix(f"{position}."): array for name, array in arrays.items() if name.startswith(f"{position}.")
    }
