"""Judging a fitted model on what it has not seen."""

from __future__ import annotations

import numpy as np
import pytest

import oracles
from alsatian import evaluation, metrics, split
from alsatian.errors import DataError, NotFitted, Unsupported
from alsatian.interactions import Interactions
from alsatian.models import ExplicitALS, ImplicitALS, Model, Popularity


class TestEvaluation:
    def test_rmse_clips_to_the_scale(self, some_ratings: Interactions) -> None:
        parts = split.per_user(some_ratings, n=2)
        model = ExplicitALS(factors=4, reg=0.01).fit(parts.train, progress=False)
        predicted = np.clip(model.predict(parts.held_out.users, parts.held_out.items), 1, 5)
        assert evaluation.rmse(model, parts) == pytest.approx(metrics.rmse(predicted, parts.held_out.values))

    def test_ndcg_is_that_of_the_recommended_lists(self, some_ratings: Interactions) -> None:
        parts = split.per_user(some_ratings, n=2)
        model = Popularity().fit(parts.train)
        users = np.flatnonzero(parts.held_out.by_user.counts).tolist()
        recommended = [model.recommend(user, n=10).rows.tolist() for user in users]
        held_out = [parts.held_out.by_user.row(user)[0].tolist() for user in users]
        assert evaluation.ndcg(model, parts) == pytest.approx(np.mean(oracles.ndcg(recommended, held_out, 10)))

    def test_a_model_that_may_have_seen_the_answers_is_refused(self, some_ratings: Interactions) -> None:
        parts = split.per_user(some_ratings, n=2)
        model = ExplicitALS(factors=2).fit(some_ratings)
        for measure in (evaluation.rmse, evaluation.ndcg):
            with pytest.raises(
                DataError, match=r"not fitted on the training part of per-user:2; fit it on split\.train"
            ):
                measure(model, parts)

    @pytest.mark.parametrize("model", [Popularity(), ImplicitALS(factors=2)])
    def test_the_error_of_scores_that_are_no_ratings_is_refused(self, some_ratings: Interactions, model: Model) -> None:
        parts = split.per_user(some_ratings, n=2)
        with pytest.raises(Unsupported, match="ranks items and predicts no values; explicit-als does"):
            evaluation.rmse(model.fit(parts.train), parts)

    def test_an_unfitted_model_is_refused(self, some_ratings: Interactions) -> None:
        with pytest.raises(NotFitted):
            evaluation.ndcg(Popularity(), split.per_user(some_ratings))
