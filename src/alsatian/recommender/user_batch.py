"""Batches of users or visitors, in the form that a model ranks items for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from alsatian.data.csr import CSR
from alsatian.recommender.topn import Mask


@dataclass(frozen=True, slots=True)
class UserBatch:
    """Users by row number. A model that needs more than histories defines a subclass.

    histories: the items and values of each user (users, items). rows: the rows of `histories` to rank items for.
    from_attributes (users): users without a history who are represented by their attributes, or None.
    """

    histories: CSR
    rows: NDArray[np.int32]
    from_attributes: Mask | None = None

    def with_rows(self, rows: NDArray[np.int32]) -> Self:
        """Return the same users with other rows to rank items for."""
        return replace(self, rows=rows)

    def exclusions(self, exclude_seen: bool) -> tuple[NDArray[np.int64], NDArray[np.int32]] | None:
        """Return the items that lists must leave out, as the kernels take them (indptr, indices), or None."""
        return (self.histories.indptr, self.histories.indices) if exclude_seen else None


if TYPE_CHECKING:  # the default needs Python 3.13 at run time
    from typing_extensions import TypeVar

    BatchT = TypeVar("BatchT", bound=UserBatch, default=Any)
else:
    from typing import TypeVar

    BatchT = TypeVar("BatchT", bound=UserBatch)


def history_rows(histories: CSR) -> NDArray[np.int32]:
    """Return the row numbers of all histories."""
    return np.arange(histories.n_rows, dtype=np.int32)
