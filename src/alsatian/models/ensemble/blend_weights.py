"""The weights of a blend: as a hyper-parameter, and fitted on a validation part."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian import metrics
from alsatian.data.csr import CSR
from alsatian.errors import ParameterError
from alsatian.models.ensemble.rank_fusion import fuse
from alsatian.recommender.hyperparameters import Param

MAX_GRID_STEPS, MAX_GRID_POINTS = 20, 300  # steps of 1/20, or larger steps with many members: at most 300 points
NDCG_AT = 10  # weights are chosen by NDCG@10


@dataclass(frozen=True)
class BlendWeightsParam(Param):
    """A number for each member, or "fit"."""

    def check(self, name: str, value: Any) -> tuple[float, ...] | str:
        if value == "fit":
            return "fit"
        numbers = value.tolist() if isinstance(value, np.ndarray) else value
        if not isinstance(numbers, list | tuple) or not all(map(_is_number, numbers)):
            raise ParameterError(f"{name}={value!r} is not valid; pass 'fit', or numbers such as [0.6, 0.4].")
        for number in numbers:
            if not 0 <= number < math.inf:
                raise ParameterError(f"{name} contains {number:g}; pass finite numbers of 0 or more.")
        if not sum(numbers) > 0:
            raise ParameterError(f"{name}={value!r} has no positive weight; pass at least one number above 0.")
        return tuple(map(float, numbers))

    def parse(self, name: str, text: str) -> tuple[float, ...] | str:
        if text == "fit":
            return text
        try:
            return self.check(name, [float(number) for number in text.split(",")])
        except ValueError as error:
            if isinstance(error, ParameterError):
                raise
            message = f"{name}={text} is not valid; pass fit, or numbers such as 0.6,0.4."
            raise ParameterError(message) from None


def weights_param(default: str, doc: str) -> Any:
    """Declare a hyper-parameter for the weights of members."""
    return BlendWeightsParam(default, doc, tuple)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def simplex_grid(n_members: int) -> NDArray[np.float32]:
    """Return a grid of all weights that sum to 1, evenly spaced: (points, members), the most equal ones first.

    >>> simplex_grid(2)[:3].round(2)
    array([[0.5 , 0.5 ],
           [0.45, 0.55],
           [0.55, 0.45]], dtype=float32)
    """
    steps = next(
        (
            step_count
            for step_count in range(MAX_GRID_STEPS, 1, -1)
            if math.comb(step_count + n_members - 1, n_members - 1) <= MAX_GRID_POINTS
        ),
        1,
    )
    bars = itertools.combinations(range(steps + n_members - 1), n_members - 1)  # stars and bars
    edges = np.array([(-1, *bar_positions, steps + n_members - 1) for bar_positions in bars])
    points = np.asarray((np.diff(edges) - 1) / steps, np.float32)
    return points[np.argsort((points**2).sum(axis=1).round(6), kind="stable")]


def fit_weights(
    user_rankings: Iterable[tuple[NDArray[np.intp], NDArray[np.float32]]], held_out: CSR, n_members: int
) -> NDArray[np.float32]:
    """Return the weights of the grid with the highest mean NDCG@10; of ties, the most equal weights.

    user_rankings: for each row of `held_out`, the items to rank and their scores by each member (items, members), as
    in rank_fusion.py. held_out: the items of each user that count as relevant.
    """
    points = simplex_grid(n_members)
    ndcg_sums = np.zeros(len(points))
    for row, (rows, score_table) in enumerate(user_rankings):
        ranking = fuse(rows, score_table, points, NDCG_AT)
        relevant, _ = held_out.row(row)
        ndcg_sums += metrics.ndcg(np.isin(ranking.items, relevant), np.full(len(points), len(relevant)), NDCG_AT)
    best: NDArray[np.float32] = points[int(np.argmax(ndcg_sums))]
    return best
