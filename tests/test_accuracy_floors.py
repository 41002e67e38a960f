"""Accuracy on MovieLens 100K: what each model must reach, beside popularity, whose number has no freedom."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from alsatian import evaluation, metrics, split
from alsatian.data.id_map import IdMap
from alsatian.data.interactions import Interactions
from alsatian.ingest import read
from alsatian.models import (
    EASE,
    BayesianMF,
    BiasedMF,
    BiasModel,
    Blend,
    ExplicitALS,
    ImplicitALS,
    ItemKNN,
    Model,
    Popularity,
    PureSVD,
    UserKNN,
)
from alsatian.split import Split
from support import oracles


@pytest.fixture(scope="module")
def likes(movielens_100k: Path) -> Split:
    """All ratings as likes, ten of each user held out at random."""
    return split.per_user(read(movielens_100k).binarize(), n=10, seed=0)


@pytest.fixture(scope="module")
def folds(movielens_100k: Path) -> list[Split]:
    """The official folds u1 to u5."""

    def part(name: str) -> Interactions:
        users, items, values, _ = np.loadtxt(movielens_100k / name, np.int64).T
        rows = (users.astype(np.int32) - 1, items.astype(np.int32) - 1)
        ids = (IdMap(np.arange(1, 944), "user"), IdMap(np.arange(1, 1683), "item"))
        return Interactions.build(*ids, *rows, values.astype(np.float32), scale=(1.0, 5.0))

    return [Split(f"u{fold}", part(f"u{fold}.base"), part(f"u{fold}.test")) for fold in range(1, 6)]


def test_popularity_has_its_known_number(likes: Split) -> None:
    assert len(likes.train) + len(likes.held_out) == 100_000
    assert evaluation.ndcg(Popularity().fit(likes.train), likes) == pytest.approx(0.134, abs=0.001)


def test_popularity_counted_in_plain_python_has_the_same_number(likes: Split) -> None:
    counts, train, held_out = likes.train.item_counts, likes.train.by_user, likes.held_out.by_user
    order = sorted(range(len(counts)), key=lambda item: (-counts[item], item))
    seen = [set(train.row(user)[0].tolist()) for user in range(train.n_rows)]
    lists = [list(islice((item for item in order if item not in seen_items), 10)) for seen_items in seen]
    expected = oracles.ndcg(lists, [held_out.row(user)[0].tolist() for user in range(train.n_rows)], 10)
    assert evaluation.ndcg(Popularity().fit(likes.train), likes) == pytest.approx(np.mean(expected))


def test_implicit_als_ranks_more_than_twice_as_well_as_popularity(likes: Split) -> None:
    model = ImplicitALS(factors=32).fit(likes.train, progress=False)
    assert evaluation.ndcg(model, likes) >= 0.30


def test_nonnegative_factors_rank_nearly_as_well(likes: Split) -> None:
    model = ImplicitALS(factors=32, nonnegative=True).fit(likes.train, progress=False)
    assert evaluation.ndcg(model, likes) >= 0.285


def test_pure_svd_ranks_nearly_as_well_as_implicit_als(likes: Split) -> None:
    assert evaluation.ndcg(PureSVD().fit(likes.train), likes) >= 0.285


def test_singular_vectors_of_what_the_biases_leave_predict_better_than_these(folds: list[Split]) -> None:
    fold = folds[0]
    svd, biases = (evaluation.rmse(m.fit(fold.train), fold) for m in (PureSVD(impute="biases"), BiasModel()))
    assert svd < biases - 0.005


@pytest.mark.parametrize(("model", "floor"), [(ItemKNN(), 0.245), (UserKNN(), 0.25), (EASE(), 0.30)], ids=str)
def test_neighbors_and_closed_forms_rank_well(likes: Split, model: Model, floor: float) -> None:
    assert evaluation.ndcg(model.fit(likes.train, progress=False), likes) >= floor


@pytest.mark.parametrize("model", [ItemKNN(subtract_bias=True), UserKNN(subtract_bias=True)], ids=str)
def test_neighbors_predict_ratings_with_their_defaults(folds: list[Split], model: Model) -> None:
    errors = [evaluation.rmse(model.fit(fold.train, progress=False), fold) for fold in folds]
    assert np.mean(errors) <= 0.935


@pytest.mark.parametrize("form", ["rendle", "implicit"])
def test_the_other_forms_rank_well_too(likes: Split, form: str) -> None:
    settings = {"rendle": {"reg": 0.02}, "implicit": {"alpha": 3}}[form]
    model = ImplicitALS(factors=32, loss=form, **settings).fit(likes.train, progress=False)
    assert evaluation.ndcg(model, likes) >= 0.28


def test_a_blend_finds_weights_that_do_no_harm(likes: Split) -> None:
    best, fitted = ImplicitALS(factors=32), Blend(members=[ImplicitALS(factors=32), Popularity()], by="score")
    alone, blended = (evaluation.ndcg(model.fit(likes.train, progress=False), likes) for model in (best, fitted))
    assert blended >= alone - 0.003
    even = Blend(members=fitted.members, weights=[1, 1], by="score").fit(likes.train, progress=False)
    assert evaluation.ndcg(even, likes) < alone - 0.03


def test_explicit_als_predicts_ratings_with_its_defaults(folds: list[Split]) -> None:
    errors = [evaluation.rmse(ExplicitALS().fit(fold.train, progress=False), fold) for fold in folds]
    assert np.mean(errors) <= 0.915


@pytest.mark.parametrize("biases", [False, True])
def test_nonnegative_factors_predict_better_than_mean_and_biases(folds: list[Split], biases: bool) -> None:
    """Surprise's NMF with its defaults: 0.963, on folds at random."""
    model = ExplicitALS(factors=15, biases=biases, nonnegative=True)
    errors = [evaluation.rmse(model.fit(fold.train, progress=False), fold) for fold in folds]
    assert np.mean(errors) <= (0.935 if biases else 0.93)


def test_the_baseline_predicts_ratings_with_its_defaults(folds: list[Split]) -> None:
    errors = [evaluation.rmse(BiasModel().fit(fold.train, progress=False), fold) for fold in folds]
    assert np.mean(errors) <= 0.943


def test_bayesian_mf_predicts_better_and_knows_how_well(folds: list[Split]) -> None:
    fold = folds[0]
    model = BayesianMF(factors=10, draws=100).fit(fold.train, progress=False)
    assert evaluation.rmse(model, fold) <= 0.908  # ExplicitALS: 0.92
    held_out = fold.held_out
    predicted = model.predict_rows(held_out.users, held_out.items)
    inside = np.abs(held_out.values - predicted) < 1.645 * model.deviations(held_out.users, held_out.items)
    assert 0.87 <= inside.mean() <= 0.93


def test_biased_mf_predicts_ratings_with_its_defaults(folds: list[Split]) -> None:
    errors = [evaluation.rmse(BiasedMF().fit(fold.train, progress=False), fold) for fold in folds]
    assert np.mean(errors) <= 0.912


def test_implicit_terms_predict_ratings_better(folds: list[Split]) -> None:
    model = BiasedMF(svdpp=True).fit(folds[0].train, progress=False)
    assert evaluation.rmse(model, folds[0]) <= 0.919


def test_factors_beat_the_mean_and_biases_and_these_beat_the_mean(folds: list[Split]) -> None:
    fold = folds[0]
    factors, biases = (
        evaluation.rmse(ExplicitALS(**few).fit(fold.train, progress=False), fold) for few in ({}, {"factors": 0})
    )
    mean = metrics.rmse(np.full(len(fold.held_out), fold.train.values.mean()), fold.held_out.values)
    assert factors < biases - 0.02
    assert biases < mean - 0.15


def test_items_unseen_in_a_fold_are_predicted_by_the_mean_and_the_users_bias(folds: list[Split]) -> None:
    fold = folds[0]
    unseen = np.flatnonzero((fold.train.item_counts == 0) & (fold.held_out.item_counts > 0)).astype(np.int32)
    assert len(unseen) > 10
    model = ExplicitALS(factors=8).fit(fold.train, progress=False)
    users = np.zeros(len(unseen), np.int32)
    assert model.user_bias is not None
    np.testing.assert_allclose(model.predict_rows(users, unseen), model.mean[0] + model.user_bias[0], rtol=1e-6)


def test_attributes_predict_items_that_nobody_rated_better_than_the_mean_and_a_bias(movielens_100k: Path) -> None:
    """A tenth of the items have all their ratings held out."""
    data = read(movielens_100k)
    cold = (np.random.default_rng(0).random(len(data.item_ids)) < 0.1)[data.items]
    part = Split("cold", data.where(~cold), data.where(cold))
    plain, placing = (
        evaluation.rmse(ExplicitALS(factors=16, **settings).fit(part.train, progress=False), part)
        for settings in ({}, {"item_attributes": "genres,year"})
    )
    assert placing < plain - 0.01


@pytest.mark.parametrize("model", [ExplicitALS(factors=16), ImplicitALS(factors=16)], ids=lambda model: model.name)
def test_conjugate_gradient_is_as_good_as_cholesky(
    folds: list[Split], likes: Split, model: ExplicitALS | ImplicitALS
) -> None:
    cg = type(model)(**model.params | {"solver": "cg"})
    if isinstance(model, ExplicitALS):
        exact, stepwise = (evaluation.rmse(m.fit(folds[0].train, progress=False), folds[0]) for m in (model, cg))
        assert stepwise <= exact + 0.005
    else:
        exact, stepwise = (evaluation.ndcg(m.fit(likes.train, progress=False), likes) for m in (model, cg))
        assert stepwise >= exact - 0.01
