"""Models made of other models: each learns from the same data, and all of them go into one model file."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions
from alsatian.recommender.fit_run import Run
from alsatian.recommender.model import Model
from alsatian.recommender.topn import Audience, either


class Combined(Model):
    """What combinations share. Array `x` of part 0 is their array "0.x"; an audience has a view of it for each part.

    They know whom and what any of their parts knows: placed by attributes are all that one of these places.
    """

    @property
    @abstractmethod
    def models(self) -> Sequence[Model]:
        """The parts."""

    @property
    def learned(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(f"{at}.{name}" for at, part in enumerate(self.models) for name in part.learned)

    @property
    def iterates(self) -> bool:  # type: ignore[override]
        return any(part.iterates for part in self.models)

    @property
    def top_value(self) -> float:
        return max(part.top_value for part in self.models)

    @property
    def bounds(self) -> tuple[float, float] | None:
        return next((part.bounds for part in self.models if part.bounds), None)

    def _check(self, data: Interactions) -> None:
        for part in self.models:
            part._check(data)

    def _check_values(self, values: NDArray[np.float32]) -> None:
        for part in self.models:
            part._check_values(values)

    def check_learned(self, data: Interactions, learned: Mapping[str, Any]) -> None:
        for at, part in enumerate(self.models):
            part.check_learned(data, _own(learned, at))

    def _fit(self, data: Interactions, run: Run) -> dict[str, Any]:
        learned: dict[str, Any] = {}
        for at, part in enumerate(self.models):
            arrays = part._fit(data, run.of(part))
            learned |= {f"{at}.{name}": array for name, array in arrays.items()}
        return learned

    def _prepare(self) -> None:
        for at, part in enumerate(self.models):
            part.restore(self.data, _own(vars(self), at), [], self.training)
        self.placed_users = either(part.placed_users for part in self.models)
        self.placed_items = either(part.placed_items for part in self.models)

    def _known(self, rows: NDArray[np.int32]) -> Audience:
        views = tuple(part._known(rows) for part in self.models)
        return Audience(self.data.by_user, rows, views=views, placed=self.placed_users)

    def _fold_in(self, history: CSR) -> Audience:
        views = tuple(part._fold_in(history) for part in self.models)
        return Audience(history, np.arange(history.rows, dtype=np.int32), views=views)


def views(audience: Audience, rows: NDArray[np.int32]) -> list[Audience]:
    """Return these people of an audience as each part sees them."""
    return [view._replace(rows=rows) for view in audience.views]


def _own(arrays: Mapping[str, Any], at: int) -> dict[str, Any]:
    """Return the arrays of one part by the names it knows."""
    return {name.removeprefix(f"{at}."): array for name, array in arrays.items() if name.startswith(f"{at}.")}
