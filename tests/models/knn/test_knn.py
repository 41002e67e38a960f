"""Models of neighbors and EASE on the running example, against dense formulas; and what they refuse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, ParameterError, Unsupported
from alsatian.models import EASE, ItemKNN, UserKNN, ease
from alsatian.models.knn.base import KNNModel
from support import oracles, problems

MATRIX = problems.MATRIX.astype(np.float64)
RATED = MATRIX > 0


def dense_table(model: KNNModel) -> np.ndarray:
    """Return the similarities as a matrix, 0 where a row is no neighbor."""
    table = np.zeros((len(model.neighbors),) * 2)
    for row, near in enumerate(model.neighbors):
        table[row, near[near >= 0]] = model.similarities[row][near >= 0]
    return table


def cosines(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1)
    actual = rows @ rows.T / np.outer(lengths, lengths)
    np.fill_diagonal(actual, 0)
    return np.maximum(actual, 0)


def expected() -> np.ndarray:
    """Koren's shrunk baseline, cell by cell."""
    mean = MATRIX[RATED].mean()
    items = ((MATRIX - mean) * RATED).sum(axis=0) / (5 + RATED.sum(axis=0))
    users = ((MATRIX - mean - items) * RATED).sum(axis=1) / (10 + RATED.sum(axis=1))
    return mean + users[:, None] + items


def test_cosines_of_items_and_of_users(ratings: Interactions) -> None:
    np.testing.assert_allclose(dense_table(ItemKNN(shrinkage=0).fit(ratings)), cosines(MATRIX.T), rtol=1e-6)
    np.testing.assert_allclose(dense_table(UserKNN().fit(ratings)), cosines(MATRIX), rtol=1e-6)


def test_adjusted_cosines_are_of_deviations_from_the_users_mean(ratings: Interactions) -> None:
    means = MATRIX.sum(axis=1) / RATED.sum(axis=1)
    deviations = (MATRIX - means[:, None]) * RATED
    actual = dense_table(ItemKNN(similarity="adjusted-cosine", shrinkage=0).fit(ratings))
    np.testing.assert_allclose(actual, cosines(deviations.T), rtol=1e-5, atol=1e-7)


def test_with_baselines_they_are_of_deviations_from_these(ratings: Interactions) -> None:
    actual = dense_table(ItemKNN(subtract_bias=True, shrinkage=0).fit(ratings))
    np.testing.assert_allclose(actual, cosines(((MATRIX - expected()) * RATED).T), rtol=1e-5, atol=1e-6)


def test_pearson_is_the_correlation_over_the_users_of_both(ratings: Interactions) -> None:
    actual = dense_table(ItemKNN(similarity="pearson", shrinkage=2).fit(ratings))
    cars, iron2 = (ratings.item_ids.row(item) for item in ("cars", "iron2"))
    both = RATED[:, cars] & RATED[:, iron2]
    correlation = np.corrcoef(MATRIX[both][:, [cars, iron2]].T)[0, 1]
    assert actual[cars, iron2] == pytest.approx(max(correlation, 0) * both.sum() / (both.sum() + 2))
    assert actual.max() <= 1


def test_jaccard_is_the_share_of_users(ratings: Interactions) -> None:
    both = RATED.T.astype(float) @ RATED
    share = both / (RATED.sum(axis=0)[:, None] + RATED.sum(axis=0) - both)
    np.fill_diagonal(share, 0)
    np.testing.assert_allclose(dense_table(ItemKNN(similarity="jaccard", shrinkage=0).fit(ratings)), share, rtol=1e-6)


def test_tf_idf_and_bm25_weigh_the_values_first(ratings: Interactions) -> None:
    idf = np.log1p(5 / RATED.sum(axis=1))[:, None]
    actual = dense_table(ItemKNN(weighting="tf-idf", shrinkage=0).fit(ratings))
    np.testing.assert_allclose(actual, cosines((MATRIX * idf).T), rtol=1e-5)
    length = MATRIX.sum(axis=0) / MATRIX.sum() * 5
    terms = MATRIX * 2.2 / (MATRIX + 1.2 * (0.25 + 0.75 * length)) * idf
    np.testing.assert_allclose(
        dense_table(ItemKNN(weighting="bm25", shrinkage=0).fit(ratings)), cosines(terms.T), rtol=1e-5
    )


@pytest.mark.parametrize("scale", [1e37, 1e19, 1e-19, 1e-40])
def test_cosines_of_huge_and_tiny_values_are_those_of_others(scale: float) -> None:
    """Their squares do not fit into float32. A cosine knows no unit, and each row may have its own."""
    matrix = np.asarray(MATRIX * np.array([1, scale, scale, 1])[:, None], np.float32)
    users = dense_table(UserKNN().fit(problems.from_matrix(matrix)))
    np.testing.assert_allclose(users, cosines(MATRIX), rtol=1e-4)
    items, plain = (
        dense_table(ItemKNN(weighting="tf-idf").fit(problems.from_matrix(factor * MATRIX))) for factor in (scale, 1)
    )
    np.testing.assert_allclose(items, plain, rtol=1e-4)


def test_a_list_is_ranked_by_similarities_times_values(ratings: Interactions) -> None:
    scores = MATRIX @ cosines(MATRIX.T)
    actual = ItemKNN(shrinkage=0).fit(ratings).recommend("alice", exclude_seen=False)
    np.testing.assert_allclose(actual.scores, scores[0][actual.rows], rtol=1e-6)
    scores = cosines(MATRIX) @ MATRIX
    actual = UserKNN().fit(ratings).recommend("alice", exclude_seen=False)
    np.testing.assert_allclose(actual.scores, scores[0][actual.rows], rtol=1e-6)


@pytest.mark.parametrize("make", [ItemKNN, UserKNN])
def test_a_prediction_is_the_baseline_and_a_weighted_mean_of_deviations(
    ratings: Interactions, make: type[KNNModel]
) -> None:
    model = make(subtract_bias=True, damping=0.25).fit(ratings)
    near, deviations = dense_table(model), (MATRIX - expected()) * RATED
    if make is ItemKNN:
        sums, weights = deviations @ near.T, RATED @ near.T
    else:
        sums, weights = near @ deviations, near @ RATED
    expected_scores = expected() + sums / (weights + 0.25)
    for row, user in enumerate(problems.USERS):
        np.testing.assert_allclose(model.predict(user, problems.ITEMS), expected_scores[row], rtol=1e-5)


def test_k_keeps_the_nearest(ratings: Interactions) -> None:
    two, all_of_them = ItemKNN(k=2).fit(ratings), ItemKNN(k=100).fit(ratings)
    assert two.neighbors.shape == (5, 2)
    assert all_of_them.neighbors.shape == (5, 4)
    assert two.neighbors.tolist() == all_of_them.neighbors[:, :2].tolist()


def test_similar_are_the_neighbors(ratings: Interactions) -> None:
    model = ItemKNN(shrinkage=0).fit(ratings)
    actual = model.similar("iron")
    assert actual.items[0] == "iron2"
    np.testing.assert_allclose(actual.scores, np.sort(cosines(MATRIX.T)[2])[::-1][:4], rtol=1e-6)
    with pytest.raises(
        Unsupported, match=r"similar\(\) is not supported by user-knn\. Models that support it: explicit-als, "
    ):
        UserKNN().fit(ratings).similar("iron")


def test_a_visitor_with_the_history_of_a_user_is_that_user(ratings: Interactions) -> None:
    """She is not her own neighbor, whether she is known or not, and half-known people have neighbors too."""
    model = UserKNN(subtract_bias=True).fit(ratings)
    alice = dict(zip(problems.ITEMS, problems.MATRIX[0], strict=True))
    visitor = model.fold_in({item: value for item, value in alice.items() if value})
    assert visitor.predict(problems.ITEMS).tobytes() == model.predict("alice", problems.ITEMS).tobytes()
    nearly = model.fold_in({"cars": 5, "up": 5}).batch
    assert nearly.neighbors is not None
    assert ratings.user_ids.id_of(int(nearly.neighbors[0, 0])) in ("alice", "bob")


def test_weights_count_in_lists_and_are_refused_with_baselines() -> None:
    doubled = problems.from_matrix(problems.MATRIX, weights=np.full_like(problems.MATRIX, 2))
    plain = problems.from_matrix(problems.MATRIX)
    once, twice = (ItemKNN().fit(data).recommend(0).scores for data in (plain, doubled))
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-6)
    with pytest.raises(
        ParameterError, match=r"item-knn with subtract_bias does not support weights.*subtract_bias=False"
    ):
        ItemKNN(subtract_bias=True).fit(doubled)


@pytest.mark.parametrize("make", [ItemKNN, UserKNN])
def test_settings_without_effect_are_refused(make: type[KNNModel], ratings: Interactions) -> None:
    with pytest.raises(ParameterError, match=r"damping=1 has no effect without subtract_bias.*subtract_bias=True"):
        make(damping=1)
    with pytest.raises(ParameterError, match=r"weighting='bm25' has no effect on the jaccard similarity"):
        make(weighting="bm25", similarity="jaccard")
    with pytest.raises(ParameterError, match="the adjusted-cosine similarity"):
        make(weighting="bm25", subtract_bias=True)
    with pytest.raises(ParameterError, match="'euclid' is not one of cosine"):
        make(similarity="euclid")
    negative = replace(ratings.by_user, values=ratings.values - 3)
    with pytest.raises(DataError, match=r"weighting='tf-idf' requires values above 0, and 4 of 13 are not"):
        make(weighting="tf-idf").fit(replace(ratings, by_user=negative))


def test_ease_is_the_closed_form(ratings: Interactions) -> None:
    """Steck 2019, eq. 8; and its conditions: no item speaks for itself, and the gradient is zero everywhere else."""
    model = EASE(reg=3).fit(ratings)
    inverse = np.linalg.inv(MATRIX.T @ MATRIX + 3 * np.eye(5))
    weights = np.eye(5) - inverse / np.diag(inverse)
    np.testing.assert_allclose(model.item_weights, weights, atol=1e-6)
    assert (np.diag(model.item_weights) == 0).all()
    gradient = MATRIX.T @ (MATRIX @ weights - MATRIX) + 3 * weights
    np.testing.assert_allclose(gradient[~np.eye(5, dtype=bool)], 0, atol=1e-9)


def test_ease_scores_lists_and_pairs_alike(ratings: Interactions) -> None:
    model = EASE(reg=3).fit(ratings)
    scores = oracles.cells(ratings) @ model.item_weights
    np.testing.assert_allclose(model.predict("bob", problems.ITEMS), scores[1], rtol=1e-5)
    actual = model.recommend("bob", exclude_seen=False)
    np.testing.assert_allclose(actual.scores, np.sort(scores[1])[::-1], rtol=1e-5)
    similar = model.similar("iron")
    np.testing.assert_allclose(similar.scores, np.sort(np.delete(model.item_weights[2], 2))[::-1])


def test_ease_refuses_what_does_not_fit_into_memory(ratings: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ease, "available_memory", lambda: 500)
    with pytest.raises(ParameterError, match=r"5 items need 600 bytes of memory, and 500 are available; .* item-knn"):
        EASE().fit(ratings)
    monkeypatch.undo()
    assert ease.available_memory() > 1 << 20


def test_pairs_of_unknown_users_alone_are_predicted_by_the_baseline(some_ratings: Interactions) -> None:
    model = ItemKNN(subtract_bias=True).fit(some_ratings, progress=False)
    both = model.predict([10_000, 1], [3, 3], unknown="bias")
    assert model.predict([10_000], [3], unknown="bias")[0] == both[0]
