"""PureSVD against numpy.linalg.svd of the matrix written out, its empty cells filled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, FitError, ParameterError, UnknownUser
from alsatian.models import BiasModel, PureSVD
from alsatian.models.svd import truncated_svd
from support.oracles import cells
from support.problems import MATRIX, from_matrix

Dense = NDArray[np.float64]
KINDS = ("zero", "user", "item", "mean", "biases")


def filling(kind: str, data: Interactions) -> Dense:
    """Return what every cell would be filled with."""
    values = cells(data)
    seen = values > 0
    users, items = (values.sum(axis=axis) / seen.sum(axis=axis) for axis in (1, 0))
    if kind == "biases":
        model = BiasModel().fit(data, progress=False)
        return model.mean[0] + model.user_bias[:, None] + model.item_bias
    full = {"zero": 0.0, "user": users[:, None], "item": items, "mean": values.sum() / seen.sum()}[kind]
    return np.broadcast_to(full, values.shape)


def predicted(model: PureSVD) -> Dense:
    users, items = (ids.tolist() for ids in (model.data.user_ids, model.data.item_ids))
    return np.array([model.predict(user, items) for user in users])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("factors", [1, 2, 3])
def test_it_is_the_best_approximation_of_the_filled_matrix(ratings: Interactions, kind: str, factors: int) -> None:
    """Eckart and Young (1936): the first singular vectors of the values less the filling, plus the filling."""
    fill = filling(kind, ratings)
    left = np.where(MATRIX > 0, MATRIX - fill, 0)
    u, s, v = np.linalg.svd(left)
    model = PureSVD(factors=factors, impute=kind).fit(ratings)
    np.testing.assert_allclose(predicted(model), fill + (u[:, :factors] * s[:factors]) @ v[:factors], atol=2e-5)
    np.testing.assert_allclose(model.singular_values, s[:factors], rtol=1e-6)
    assert model.energy_kept == pytest.approx((s[:factors] ** 2).sum() / (s**2).sum(), rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_all_factors_give_every_value_back_and_the_filling_elsewhere(some_ratings: Interactions, kind: str) -> None:
    model = PureSVD(factors=80, impute=kind).fit(some_ratings)
    expected = np.where(cells(some_ratings) > 0, cells(some_ratings), filling(kind, some_ratings))
    np.testing.assert_allclose(predicted(model), expected, atol=2e-4)
    assert model.energy_kept == pytest.approx(1)


def test_lanczos_finds_what_lapack_finds(some_ratings: Interactions) -> None:
    """20 of 80 factors go by way of ARPACK, all 80 by way of LAPACK."""
    matrix = some_ratings.by_user.to_scipy()
    some, vectors = truncated_svd.largest_singular(matrix, 20)
    all_values, all_vectors = truncated_svd.largest_singular(matrix, 80)
    np.testing.assert_allclose(some, all_values[:20], rtol=1e-10)
    np.testing.assert_allclose(vectors, all_vectors[:, :20], atol=1e-7)


def test_factors_are_orthonormal_and_their_signs_settled(some_ratings: Interactions) -> None:
    model = PureSVD(factors=12).fit(some_ratings)
    np.testing.assert_allclose(model.item_factors.T @ model.item_factors, np.eye(12), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(model.user_factors, axis=0), model.singular_values, rtol=1e-5)
    largest = np.abs(model.item_factors).argmax(axis=0)
    assert (model.item_factors[largest, np.arange(12)] > 0).all()
    assert (np.diff(model.singular_values) <= 0).all()


@pytest.mark.parametrize("energy", [0.3, 0.8, 0.95, 1.0])
def test_energy_takes_as_few_factors_as_keep_it(some_ratings: Interactions, energy: float) -> None:
    s = np.linalg.svd(cells(some_ratings), compute_uv=False)
    share = np.cumsum(s**2) / (s**2).sum()
    model = PureSVD(energy=energy).fit(some_ratings)
    assert len(model.singular_values) == np.argmax(share >= energy - 1e-12) + 1
    assert model.energy_kept >= energy - 1e-6
    assert model.fit_note == f"{len(model.singular_values)} factors keep {model.energy_kept:.1%} of the energy"


def test_factors_that_the_matrix_does_not_have_are_left_out() -> None:
    twins = from_matrix(np.array([[5, 3, 0, 1], [5, 3, 0, 1], [0, 0, 4, 2], [0, 0, 4, 2]], float))
    model = PureSVD(factors=4).fit(twins)
    assert model.item_factors.shape == (4, 2)
    assert model.fold_in({2: 4}).recommend(1).items == [3]


def test_no_dense_matrix_beyond_the_limit(some_ratings: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "alsatian.models.svd.truncated_svd.MAX_DENSE_CELLS", 5000
    )  # the data has 120 x 80 = 9,600 cells
    monkeypatch.setattr("alsatian.models.svd.pure_svd.MAX_DENSE_CELLS", 5000)
    monkeypatch.setattr("alsatian.models.svd.truncated_svd.MAX_ENERGY_FACTORS", 40)
    monkeypatch.setattr(csr_array, "toarray", None)
    assert PureSVD(factors=79).fit(some_ratings).item_factors.shape == (80, 79)
    assert PureSVD(energy=0.8).fit(some_ratings).energy_kept >= 0.8
    with pytest.raises(
        ParameterError,
        match=r"factors=80 .* 120 users and 80 items, more than 5,000 cells, which .* all factors; pass at most 79\.",
    ):
        PureSVD(factors=80).fit(some_ratings)
    with pytest.raises(
        ParameterError,
        match=r"energy=0.99 needs more than 40 factors \(which keep 0\.9\d\d\), the maximum for 120 x 80 .* lower",
    ):
        PureSVD(energy=0.99).fit(some_ratings)


@pytest.mark.parametrize("kind", KINDS)
def test_people_as_points(ratings: Interactions, kind: str) -> None:
    model = PureSVD(factors=2, impute=kind).fit(ratings)
    assert model.transform("bob").tobytes() == model.user_factors[1].tobytes()
    assert model.transform(["dave", "alice"]).tobytes() == model.user_factors[[3, 0]].tobytes()
    histories: list[Any] = [{"cars": 4, "heat": 1, "iron2": 2, "up": 5}, {"heat": 4, "iron": 5, "iron2": 4}]
    assert model.transform(histories).tobytes() == model.user_factors[[1, 2]].tobytes()
    assert model.transform(histories[0]).shape == (1, 2)
    with pytest.raises(UnknownUser):
        model.transform(["bob", "eve"])


def test_like_items_have_like_columns_in_the_approximation(ratings: Interactions) -> None:
    model = PureSVD(factors=2).fit(ratings)
    columns = predicted(model) / np.linalg.norm(predicted(model), axis=0)
    best = model.similar("iron", n=4)
    np.testing.assert_allclose(best.scores, np.sort(columns.T @ columns[:, 2])[::-1][1:], atol=1e-5)
    assert set(best.items[:2]) == {"heat", "iron2"}


def test_only_some_impute_what_a_value_is(ratings: Interactions) -> None:
    ranks, predicts = PureSVD(factors=2).fit(ratings), PureSVD(factors=2, impute="user").fit(ratings)
    assert (ranks.predicts_ratings, predicts.predicts_ratings) == (False, True)
    assert 1 <= predicts.predict("alice", "heat", clip=True)[0] <= 5
    with pytest.raises(DataError, match="the value 9 of item 'up' is outside the scale 1 to 5"):
        predicts.fold_in({"up": 9})


@pytest.mark.parametrize("kind", KINDS[1:])
def test_values_that_are_all_alike_leave_nothing_to_decompose(ratings: Interactions, kind: str) -> None:
    likes = ratings.binarize()
    with pytest.raises(DataError, match=f"all values equal the filling of impute='{kind}'.* pass impute='zero'"):
        PureSVD(factors=2, impute=kind).fit(likes)
    PureSVD(factors=2).fit(likes)
    with pytest.raises(DataError, match=r"all values equal the filling of impute='zero', .* check which column"):
        PureSVD(factors=2).fit(replace(ratings, by_user=replace(ratings.by_user, values=0 * ratings.values)))


def test_weights_are_refused() -> None:
    with pytest.raises(DataError, match="have weights, which a singular value decomposition does not support; read"):
        PureSVD(factors=2).fit(from_matrix(MATRIX, weights=np.full(MATRIX.shape, 2.0)))


def test_values_beyond_single_precision_are_refused() -> None:
    with pytest.raises(FitError, match="the values are too large for single precision; scale them down"):
        PureSVD(factors=1).fit(from_matrix(np.where(MATRIX > 0, 3e38, 0)))
