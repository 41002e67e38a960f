"""Small data sets and random problems that several test files share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from alsatian.data.catalog import Catalog
from alsatian.data.id_map import IdMap
from alsatian.data.interactions import Interactions
from alsatian.kernels import NO_ROW_IS_AS_LONG, Rows, Side, Weighting
from alsatian.kernels.types import Array
from support import twins

USERS = ["alice", "bob", "carol", "dave"]
ITEMS = ["cars", "heat", "iron", "iron2", "up"]
TITLES = ["Cars (2006)", "Heat (1995)", "Iron Man (2008)", "Iron Man 2 (2010)", "Up (2009)"]
YEARS = [2006, 1995, 2008, 2010, 2009]
MATRIX = np.array(
    [  # cars heat iron iron2 up
        [5, 0, 1, 0, 4],  # alice likes animation
        [4, 1, 0, 2, 5],  # bob too
        [0, 4, 5, 4, 0],  # carol likes action
        [1, 0, 4, 5, 0],  # dave too
    ],
    np.float32,
)


def from_matrix(
    matrix: NDArray[np.floating],
    users: list[str] | None = None,
    items: list[str] | None = None,
    weights: NDArray[np.floating] | None = None,
    catalog: Catalog | None = None,
) -> Interactions:
    """Return the entries of a matrix that are not zero; ids are the row and column numbers unless given."""
    rows, columns = np.nonzero(matrix)
    user_ids = IdMap(np.arange(matrix.shape[0]), "user") if users is None else IdMap.from_ids(users, "user")
    item_ids = IdMap(np.arange(matrix.shape[1]), "item") if items is None else IdMap.from_ids(items, "item")
    return Interactions.build(
        user_ids,
        item_ids,
        rows.astype(np.int32),
        columns.astype(np.int32),
        matrix[rows, columns].astype(np.float32),
        weights=None if weights is None else weights[rows, columns].astype(np.float32),
        catalog=catalog,
    )


def running_example() -> Interactions:
    """Four users, five films, ratings from 1 to 5: the example of the whole documentation."""
    catalog = Catalog.from_columns(IdMap.from_ids(ITEMS, "item"), ITEMS, {"title": TITLES, "year": YEARS})
    return replace(from_matrix(MATRIX, USERS, ITEMS, catalog=catalog), scale=(1.0, 5.0))


def checkerboard(users: int = 40, items: int = 30, seen: float = 0.6) -> Interactions:
    """Users like the items of their own parity (5) and not the others (1); most of both are seen."""
    rng = np.random.default_rng(7)
    same_parity = (np.arange(users)[:, None] + np.arange(items)) % 2 == 0
    return from_matrix(np.where(same_parity, 5, 1) * (rng.random((users, items)) < seen))


def random_ratings(users: int = 120, items: int = 80, density: float = 0.15, seed: int = 0) -> Interactions:
    """Ratings 1 to 5 of 100 days with some structure: two tastes, popular items, users of very different activity."""
    rng = np.random.default_rng(seed)
    taste = rng.standard_normal((users, 2)) @ rng.standard_normal((2, items))
    activity = rng.random((users, 1)) * rng.random((1, items)) * 4 * density
    observed = rng.random((users, items)) < activity
    observed[np.arange(users), rng.integers(items, size=users)] = True
    observed[rng.integers(users, size=items), np.arange(items)] = True
    columns = {"title": [f"Film {item}" for item in range(items)], "year": [1990 + i % 10 for i in range(items)]}
    catalog = Catalog.from_columns(IdMap(np.arange(items), "item"), range(items), columns)
    data = from_matrix(np.clip(np.round(3 + taste), 1, 5) * observed, catalog=catalog)
    return replace(data, times=1_700_000_000 + rng.integers(100 * 86_400, size=len(data)))


COLD_ITEMS, COLD_USERS = (11, 26, 47, 60), (10, 33, 80)


def cold_ratings() -> Interactions:
    """Random ratings without those of some items and users; what is known of the users tells their taste nothing."""
    data = random_ratings()
    users = range(len(data.user_ids))
    columns = {"age": [20 + user % 45 for user in users], "gender": ["FM"[user % 2] for user in users]}
    profiles = Catalog.from_columns(data.user_ids, users, columns)
    cold = np.isin(data.items, COLD_ITEMS) | np.isin(data.users, COLD_USERS)
    return replace(data.where(~cold), user_table=profiles)


FORMS = {
    "explicit": Weighting(0.0, 1.0, 1.0, -3.0, 0.0),
    "zeros as data": Weighting(0.0, 1.0, 1.0, 0.0, 1.0),
    "hu": Weighting(3.0, 1.0, 3.0, 1.0, 1.0),
    "rendle": Weighting(1.0, 0.1, 1.0, 0.0, 0.1),
    "implicit": Weighting(5.0, 0.0, 5.0, 0.0, 1.0),
}


@dataclass(frozen=True)
class Problem:
    """One half-sweep: everything the kernel is given."""

    rows: Rows
    form: Weighting
    fixed: Side
    gram: Array | None
    ridge: Array
    start: Side

    def solve(
        self, kernel: object, steps: int = 0, threads: int = 2, exact_from: int = NO_ROW_IS_AS_LONG
    ) -> tuple[Side, float, int]:
        """Return the solution, the loss and the first failed row of a module's half_sweep."""
        bias = None if self.start.bias is None else self.start.bias.copy()
        solution = Side(self.start.factors.copy(), bias)
        loss, failed = kernel.half_sweep(  # type: ignore[attr-defined]
            *(self.rows, self.form, self.fixed, self.gram, self.ridge, solution, steps),
            exact_from=exact_from,
            threads=threads,
        )
        return solution, loss, failed

    @property
    def observed(self) -> NDArray[np.float64]:
        """Which cells are observed."""
        lengths = np.diff(self.rows.indptr)
        seen = np.zeros((len(lengths), len(self.fixed.factors)))
        seen[np.repeat(np.arange(len(lengths)), lengths), self.rows.indices] = 1
        return seen


def problem(
    form: str,
    factors: int,
    *,
    biases: bool = False,
    weights: bool = False,
    precision: str = "float32",
    lengths: tuple[int, ...] = (0, 1, 5, 2, 60, 1, 97, 48, 49, 0),
    columns: int = 150,
    ridge: float = 2.0,
    seed: int = 0,
) -> Problem:
    """Return a random half-sweep over rows of these lengths; an empty and a one-item row are among them."""
    rng = np.random.default_rng([seed, factors])
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    indices = np.concatenate([np.sort(rng.permutation(columns)[:n]) for n in lengths]).astype(np.int32)
    values = rng.integers(1, 6, len(indices)).astype(np.float32)
    entry_weights = rng.uniform(0.5, 2, len(indices)).astype(np.float32) if weights else None
    fixed, start = (
        Side(
            (rng.standard_normal((count, factors)) / np.sqrt(max(factors, 1))).astype(precision),
            (rng.standard_normal(count) / 2).astype(precision) if biases else None,
        )
        for count in (columns, len(lengths))
    )
    w0 = FORMS[form].unobserved
    gram = twins.gram(fixed.factors, w0) if w0 else None
    ridges = (ridge * rng.uniform(0.5, 1.5, len(lengths))).astype(precision)
    return Problem(Rows(indptr, indices, values, entry_weights), FORMS[form], fixed, gram, ridges, start)
