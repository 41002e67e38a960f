"""Novelty: from popular to little-known items, one degree for all models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alsatian import metrics, split
from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError
from alsatian.ingest import read
from alsatian.models import ExplicitALS, ImplicitALS, Model, Popularity
from alsatian.recommender.novelty import pool_size, rerank
from alsatian.recommender.topn import TopN
from support.cases import CASES, Case, plain_answers

DEGREES = [0, 0.25, 0.5, 0.75, 1]


@pytest.mark.parametrize(
    ("novelty", "best"),
    [
        (0.25, ["cars", "iron", "iron2", "heat", "up"]),  # 0.75 for the popular, 0.25 for the others
        (0.5, ["cars", "iron", "iron2", "heat", "up"]),  # all equal: the better first
        (0.75, ["heat", "up", "cars", "iron", "iron2"]),
        (1, ["heat", "up", "cars", "iron", "iron2"]),
    ],
)
def test_popularity_of_the_running_example(ratings: Interactions, novelty: float, best: list[str]) -> None:
    """Cars, Iron Man and its sequel have three users (score 1, information 0), Heat and Up two (0 and 1)."""
    recommended = Popularity().fit(ratings).recommend("alice", n=5, novelty=novelty, exclude_seen=False)
    assert recommended.items == best
    assert dict(zip(recommended.items, recommended.scores.tolist(), strict=True))["up"] == 2, "scores stay the model's"


def test_a_row_by_hand() -> None:
    """Scores 8, 6, 4 become 1, 1/2, 0; information 0, 3, 2 of items 7, 5, 9 becomes 0, 1, 2/3."""
    information = np.zeros(10)
    information[[7, 5, 9]] = 0, 3, 2
    best = TopN(np.array([[7, 5, 9, -1]], np.int32), np.array([[8, 6, 4, 0]], np.float32))
    for novelty, expected in ((0.3, [7, 5]), (0.4, [5, 7]), (0.59, [5, 7]), (0.61, [5, 9]), (1, [5, 9])):
        assert rerank(best, 2, novelty, information).items.tolist() == [expected]
    whole = rerank(best, 4, 1, information)
    assert whole.items.tolist() == [[5, 9, 7, -1]]
    assert whole.scores.tolist() == [[6, 4, 8, 0]]


def test_a_list_is_chosen_from_ten_times_its_length_and_at_least_a_hundred() -> None:
    assert [pool_size(n, 5000) for n in (1, 10, 20, 600)] == [100, 100, 200, 5000]


@pytest.mark.parametrize("novelty", [-0.1, 1.1, float("nan"), "much", True, None])
def test_a_degree_outside_its_bounds_is_refused(ratings: Interactions, novelty: Any) -> None:
    model = Popularity().fit(ratings)
    for ask in (
        lambda: model.recommend("alice", novelty=novelty),
        lambda: model.fold_in(["up"]).recommend(novelty=novelty),
    ):
        with pytest.raises(ParameterError, match=r"novelty=.* is not a number from 0 to 1; pass 0 .* to 1"):
            ask()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_holds_for_every_model(case: Case, some_ratings: Interactions, some_cold_ratings: Interactions) -> None:
    some_ratings = some_cold_ratings if case.has_cold_rows else some_ratings
    model, users, filters = case.fit(some_ratings), [5, 0, 17], {"where": "year >= 1993", "deny": [4]}
    assert plain_answers(model.recommend(users, novelty=0)) == plain_answers(model.recommend(users))
    together = model.recommend(users, n=12, novelty=0.6, **filters)
    for place, user in enumerate(users):
        assert plain_answers(together[place]) == plain_answers(model.recommend(user, n=12, novelty=0.6, **filters))
    allowed = set(model.recommend(5, n=80, **filters).items)
    assert len(together[0]) == 12
    assert set(together[0].items) <= allowed
    assert set(model.recommend(5, n=80, novelty=1, **filters).items) == allowed, "candidates are all of them here"
    own, visitor = model.recommend(5, n=5, novelty=1), model.fold_in(list(range(9)))
    assert len(visitor.recommend(5, novelty=1)) == len(own) == 5
    assert model.recommend([5], n=4, novelty=1, allow=[]).counts.tolist() == [0]


@pytest.mark.parametrize("model", [ImplicitALS(factors=16), ExplicitALS(factors=16), Popularity()], ids=repr)
def test_lists_of_movielens_become_newer_for_everybody(movielens_100k: Path, model: Model) -> None:
    parts = split.per_user(read(movielens_100k), n=10, seed=0)
    model.fit(parts.train, progress=False)
    counts, users = parts.train.item_counts, len(parts.train.user_ids)
    best = [model.recommend(n=10, novelty=novelty).rows.reshape(-1, 10) for novelty in DEGREES]
    bits = np.array([metrics.novelty(rows, counts, users) for rows in best])
    assert (np.diff(bits, axis=0) >= -1e-9).all(), "nobody's list becomes more popular"
    assert bits[-1].mean() > bits[0].mean() + 1
    chosen_from = model.recommend(n=100).rows.reshape(-1, 100)
    assert all(np.isin(rows, hundred).all() for rows, hundred in zip(best[-1], chosen_from, strict=True))
