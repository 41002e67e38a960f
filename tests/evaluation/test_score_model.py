"""Judging a model: against plain Python, and against what it tells people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from alsatian import evaluation, metrics, split
from alsatian.data.catalog import Catalog
from alsatian.data.id_map import IdMap
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, NotFitted, Unsupported
from alsatian.evaluation import evaluate, metric_registry, score_model
from alsatian.models import BiasModel, ExplicitALS, ImplicitALS, ItemKNN, Model, Popularity
from alsatian.split import Split, holdout
from alsatian.split import strong_generalization as people
from support import oracles

FEW = {"bootstrap": 50, "threads": 1}
LISTS = ("precision", "recall", "capped_recall", "hit_rate", "ndcg", "map", "mrr", "auc")
OF_ALL = ("novelty", "coverage", "gini")
CALLED = {"map": "average_precision", "mrr": "reciprocal_rank"}


def test_rmse_clips_to_the_scale(some_ratings: Interactions) -> None:
    parts = split.per_user(some_ratings, n=2)
    model = ExplicitALS(factors=4, reg=0.01).fit(parts.train, progress=False)
    predicted = np.clip(model.predict(parts.held_out.users, parts.held_out.items, unknown="bias"), 1, 5)
    assert evaluation.rmse(model, parts) == pytest.approx(metrics.rmse(predicted, parts.held_out.values))


def test_ndcg_is_that_of_the_recommended_lists(some_ratings: Interactions) -> None:
    parts = split.per_user(some_ratings, n=2)
    model = Popularity().fit(parts.train)
    users = np.flatnonzero(parts.held_out.by_user.counts).tolist()
    recommended = [model.recommend(user, n=10).rows.tolist() for user in users]
    held_out = [parts.held_out.by_user.row(user)[0].tolist() for user in users]
    assert evaluation.ndcg(model, parts) == pytest.approx(np.mean(oracles.ndcg(recommended, held_out, 10)))


def test_a_model_that_may_have_seen_the_answers_is_refused(some_ratings: Interactions) -> None:
    parts = split.per_user(some_ratings, n=2)
    model = ExplicitALS(factors=2).fit(some_ratings)
    for measure in (evaluation.rmse, evaluation.ndcg):
        with pytest.raises(DataError, match=r"not fitted on the training part of per-user:2; fit it on split\.train"):
            measure(model, parts)


@pytest.mark.parametrize("model", [Popularity(), ImplicitALS(factors=2)])
def test_the_error_of_scores_that_are_no_ratings_is_refused(some_ratings: Interactions, model: Model) -> None:
    parts = split.per_user(some_ratings, n=2)
    with pytest.raises(Unsupported, match="does not predict ratings; use a list metric"):
        evaluation.rmse(model.fit(parts.train), parts)


def test_an_unfitted_model_is_refused(some_ratings: Interactions) -> None:
    with pytest.raises(NotFitted):
        evaluation.ndcg(Popularity(), split.per_user(some_ratings))


@pytest.mark.parametrize("model", [Popularity(), ItemKNN(k=9)], ids=str)
def test_lists_are_judged_as_plain_python_does(some_ratings: Interactions, model: Model) -> None:
    parts = holdout.split_per_user(some_ratings, 3)
    result = evaluate(model, parts, at=(3, 7), metrics=LISTS, **FEW)[model.name]
    fitted = type(model)(**model.params).fit(parts.train)
    expected: dict[str, list[float]] = {name: [] for name in result.metrics}
    for user in np.flatnonzero(parts.held_out.by_user.counts).tolist():
        best = fitted.recommend(user, n=7).rows.tolist()
        seen, relevant = (part.by_user.row(user)[0].tolist() for part in (parts.train, parts.held_out))
        others = [item for item in range(80) if item not in seen]
        places = {item: place for place, item in enumerate(others)}  # candidates numbered anew
        for n in (3, 7):
            expected_scores = oracles.ranking_metrics(
                [places[item] for item in best], {places[i] for i in relevant}, n, len(others)
            )
            for name in LISTS:
                assert result.per_user[f"{name}@{n}"][user] == pytest.approx(expected_scores[CALLED.get(name, name)])
                expected[f"{name}@{n}"].append(expected_scores[CALLED.get(name, name)])
    assert result.metrics == pytest.approx({name: np.mean(scores) for name, scores in expected.items()})


def test_what_lists_are_like_beside_being_right(some_ratings: Interactions) -> None:
    parts = holdout.split_per_user(some_ratings, 3)
    names = ("coverage", "gini", "novelty", "popularity", "diversity")
    result = evaluate("item-knn", parts, at=5, metrics=names, **FEW)["item-knn"]
    users = np.flatnonzero(parts.held_out.by_user.counts).tolist()
    best = ItemKNN().fit(parts.train).recommend(users, n=5).rows.reshape(-1, 5)
    counts = parts.train.item_counts
    assert result.metrics == pytest.approx(
        {
            "coverage@5": metrics.coverage(best, 80),
            "gini@5": metrics.gini(best, 80),
            "novelty@5": metrics.novelty(best, counts, int((parts.train.by_user.counts > 0).sum())).mean(),
            "popularity@5": metrics.popularity(best, counts).mean(),
            "diversity@5": metrics.diversity(best, parts.train.by_item).mean(),
        }
    )
    assert set(result.intervals) == {"novelty@5", "popularity@5", "diversity@5"}  # the others are of all lists at once


def test_predictions_are_judged_in_the_unit_of_the_data(some_ratings: Interactions) -> None:
    parts = holdout.split_per_user(some_ratings, 3)
    result = evaluate([], parts, metrics=("rmse", "mae", "r2"), **FEW)["bias"]
    held = parts.held_out
    predicted = BiasModel().fit(parts.train).predict_rows(held.users, held.items, clip=True)
    for name in ("rmse", "mae", "r2"):
        assert result.metrics[name] == pytest.approx(getattr(metrics, name)(predicted, held.values))
    error = (predicted - held.values)[held.users == 5]
    assert result.per_user["rmse"][5] == pytest.approx(np.sqrt(np.mean(error**2)))


def test_folds_are_pooled_user_by_user(some_ratings: Interactions) -> None:
    folds = holdout.split_folds(some_ratings, 3)
    result = evaluate([], folds, metrics=("rmse", "ndcg"), **FEW)
    errors = [
        BiasModel().fit(fold.train).predict_rows(fold.held_out.users, fold.held_out.items, clip=True)
        - fold.held_out.values
        for fold in folds
    ]
    assert result["bias"].metrics["rmse"] == pytest.approx(np.sqrt(np.mean(np.concatenate(errors) ** 2)))
    alone = [evaluate([], fold, metrics="ndcg", **FEW)["popularity"].per_user["ndcg@10"] for fold in folds]
    per_user = result["popularity"].per_user["ndcg@10"]
    np.testing.assert_allclose(per_user, np.nanmean(alone, axis=0))
    assert result["popularity"].metrics["ndcg@10"] == pytest.approx(np.nanmean(per_user))
    assert result.splits[0].folds == 3
    assert result.splits[0].values == len(some_ratings)


def test_protocols_have_rows_of_their_own(some_ratings: Interactions) -> None:
    several = [
        *holdout.split_folds(some_ratings, 2),
        people.split_users(some_ratings, 0.3),
        holdout.split_by_time(some_ratings),
    ]
    result = evaluate("item-knn", several, metrics="ndcg", **FEW)
    assert [row.split for row in result] == [
        name for name in ("k-fold:2", "new-users:0.3", "by-time:0.2") for _ in range(3)
    ]
    assert "split" in str(result).splitlines()[1]


def test_people_held_out_are_folded_in(some_ratings: Interactions) -> None:
    parts = people.split_users(some_ratings, 0.3, 0.4)
    requested = ("rmse", "ndcg")
    result = evaluate(ExplicitALS(factors=4), parts, metrics=requested, **FEW)["explicit-als"]
    model = ExplicitALS(factors=4).fit(parts.train, progress=False)
    assert parts.fold_in is not None
    for user in np.flatnonzero(parts.held_out.by_user.counts):
        seen = zip(*(row.tolist() for row in parts.fold_in.by_user.row(user)), strict=True)
        history = {item: value for item, value in seen if model.data.item_counts[item]}
        items, actual = parts.held_out.by_user.row(user)
        visitor = model.fold_in(history)
        [expected] = oracles.ndcg([visitor.recommend(10).rows.tolist()], [items.tolist()], 10)
        assert result.per_user["ndcg@10"][user] == pytest.approx(expected)
        known = model.data.item_counts[items] > 0
        if known.all():
            error = np.clip(visitor.predict(items.tolist()), 1, 5) - actual
            assert result.per_user["rmse"][user] == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-5)


def test_of_whom_nothing_is_known_gets_what_is_popular_and_is_counted(some_ratings: Interactions) -> None:
    cold = some_ratings.users < 4
    parts = Split("mine", some_ratings.where(~cold), some_ratings.where(cold))
    result = evaluate([ExplicitALS(factors=4), ItemKNN()], parts, metrics=("ndcg", "mae"), **FEW)
    assert result.splits[0].users == result.splits[0].cold_users == 4
    assert any("of 4 users without other values" in note for note in result.notes)
    assert any(note.startswith("mine: 4 users without training values get the most popular") for note in result.notes)
    scores = [result[name].per_user["ndcg@10"][:4].tolist() for name in ("explicit-als", "item-knn", "popularity")]
    assert scores[0] == scores[1] == scores[2]
    model = ExplicitALS(factors=4).fit(parts.train, progress=False)
    held = parts.held_out
    predicted = model.predict([9999] * len(held), held.items, clip=True, unknown="bias")
    assert result["explicit-als"].metrics["mae"] == pytest.approx(metrics.mae(predicted, held.values))


def test_who_is_cold_in_any_fold_is_counted(some_ratings: Interactions) -> None:
    """Each user is held out wholly in one of two folds."""
    first = some_ratings.users < 5
    folds = [Split("mine", some_ratings.where(~held), some_ratings.where(held), fold=at)
             for at, held in enumerate((first, (some_ratings.users >= 5) & (some_ratings.users < 12)), 1)]  # fmt: skip
    result = evaluate([], folds, metrics="ndcg", **FEW)
    assert result.splits[0].cold_users == 12
    assert any("mine: 12 users without training values get" in note for note in result.notes)


def test_who_is_known_by_no_like_is_counted(some_ratings: Interactions) -> None:
    """All that the first users like is held out: models of ratings know them, models of likes do not."""
    held = (some_ratings.users < 3) & (some_ratings.values >= 4)
    parts = Split("mine", some_ratings.where(~held), some_ratings.where(held))
    people = len(parts.binarize(4).cold_users)
    assert 0 < people == len(np.unique(parts.held_out.users))
    result = evaluate("item-knn", parts, metrics="ndcg", min_rating=4, **FEW)
    assert any(f"mine: {people} users with ratings but no likes in training get" in note for note in result.notes)
    result = evaluate("item-knn", parts, metrics="ndcg", **FEW)
    assert not any("no likes" in note for note in result.notes)


def test_likes_judge_the_lists_of_models_that_learn_ratings_too(some_ratings: Interactions) -> None:
    parts = holdout.split_per_user(some_ratings, 5)
    result = evaluate([ExplicitALS(factors=4), ImplicitALS(factors=4)], parts, min_rating=4, **FEW)
    liked = parts.binarize(4)
    explicit = ExplicitALS(factors=4).fit(parts.train, progress=False)
    implicit = ImplicitALS(factors=4).fit(liked.train, progress=False)
    assert result["explicit-als"].metrics["rmse"] == pytest.approx(evaluation.rmse(explicit, parts))
    mixed = Split("mine", parts.train, liked.held_out)
    assert result["explicit-als"].metrics["ndcg@10"] == pytest.approx(evaluation.ndcg(explicit, mixed))
    assert result["implicit-als"].metrics["ndcg@10"] == pytest.approx(evaluation.ndcg(implicit, liked))
    assert "rmse" not in result["implicit-als"].metrics
    assert "Lists are evaluated on" in str(result)


def test_who_is_placed_by_attributes_is_known_unless_there_is_a_history(some_ratings: Interactions) -> None:
    """One rule for predictions and lists; of users 0 to 9, the even ones have a history to fold in."""
    cold = some_ratings.users < 10
    folded_in = cold & (some_ratings.users % 2 == 0) & (np.arange(len(some_ratings)) % 2 == 0)
    ages = Catalog.from_columns(some_ratings.user_ids, range(120), {"age": [20 + user % 4 for user in range(120)]})
    data = replace(some_ratings, user_table=ages)
    parts = Split("mine", data.where(~cold), data.where(cold & ~folded_in), fold_in=data.where(folded_in))
    model = ExplicitALS(factors=4, user_attributes="age").fit(parts.train, progress=False)
    assert model.cold_users is not None
    assert model.cold_users[:10].all()
    held, result = parts.held_out, score_model.predict_held_out(model, parts)
    assert parts.fold_in is not None
    for user in range(10):
        items = held.by_user.row(user)[0]
        seen = parts.fold_in.by_user.row(user)
        if len(seen[0]):
            visitor = model.fold_in(dict(zip(*(row.tolist() for row in seen), strict=True)))
            predicted, listed = visitor.predict(items.tolist(), clip=True), visitor.recommend(5).rows
        else:
            predicted, listed = model.predict(user, items, clip=True), model.recommend(user, 5).rows
        np.testing.assert_allclose(result[held.users == user], predicted, rtol=1e-5)
        assert score_model.rank_items(model, parts, np.array([user], np.int32), 5, 1)[0].tolist() == listed.tolist()


@pytest.mark.slow
def test_as_many_people_as_movielens_20m_has() -> None:
    """138,493 users by 26,744 items are more cells than 32 bits count; slices give what each user gets."""
    users, items, count, n = 138_493, 26_744, 20, 10
    rng = np.random.default_rng(0)
    starts, steps = rng.integers(items, size=(users, 1)), rng.integers(1, items // count, size=(users, 1))
    had = ((starts + steps * np.arange(count)) % items).astype(np.int32)
    rows = np.repeat(np.arange(users, dtype=np.int32), count)
    ids = IdMap(np.arange(users), "user"), IdMap(np.arange(items), "item")
    data = Interactions.build(*ids, rows, had.ravel(), np.ones(rows.size, np.float32))
    held = rng.random(len(data)) < 0.3
    parts = Split("mine", data.where(~held), data.where(held))
    model = ImplicitALS(factors=8, epochs=1).fit(parts.train, progress=False)
    names = ("precision", "recall", "ndcg", "map", "mrr", "hit_rate", "auc", *OF_ALL)
    requested = metric_registry.parse_metrics(names, n)
    judged = score_model.score_model(model, parts, parts, requested, threads=2)

    assert len(requested.names) == 10
    people = np.flatnonzero(parts.held_out.by_user.counts)
    best = model.recommend(people.tolist(), n=n).rows.reshape(-1, n)
    relevant = parts.held_out.by_user.take(people)
    codes = np.arange(len(people))[:, None] * items + best
    hits = np.isin(codes, relevant.row_numbers.astype(np.int64) * items + relevant.indices)
    np.testing.assert_allclose(judged.scores["precision@10"][people], hits.mean(axis=1))
    assert np.isnan(np.delete(judged.scores["precision@10"], people)).all()
    seen, listed = parts.train.by_user.counts[people], np.full(len(people), n)
    area = metrics.auc(hits, relevant.counts, items - seen, listed)
    np.testing.assert_allclose(judged.scores["auc@10"][people], area)
    novelty = metrics.novelty(best, parts.train.item_counts, int((parts.train.by_user.counts > 0).sum()))
    np.testing.assert_allclose(judged.scores["novelty@10"][people], novelty)
    assert judged.overall == {"coverage@10": metrics.coverage(best, items), "gini@10": metrics.gini(best, items)}
    for at in [0, len(people) - 1, *np.flatnonzero(hits.any(axis=1))[:50]]:
        expected = oracles.ranking_metrics(best[at], set(relevant.row(at)[0].tolist()), n, 0)
        for name in ("recall", "ndcg", "map", "mrr", "hit_rate"):
            assert judged.scores[f"{name}@10"][people[at]] == pytest.approx(expected[CALLED.get(name, name)])
