"""Blends: lists worked out by hand, plain loops as the oracle, weights given and found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alsatian import evaluation, split
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, ParameterError, Unsupported
from alsatian.models import Blend, ExplicitALS, Fallback, ImplicitALS, ItemKNN, Popularity
from alsatian.models.ensemble.blend_weights import MAX_GRID_POINTS, MAX_GRID_STEPS, simplex_grid
from alsatian.persistence.save_load import load, save
from support.cases import arrays, plain_answers
from support.problems import from_matrix

BIASES = ExplicitALS(factors=0, reg=0)


class TestByHand:
    """Dave has not seen Heat and Up. Both have two users, so by popularity Heat, the lower row, is first.

    By their means, 2.5 and 4.5, it is Up.
    """

    @pytest.mark.parametrize(("weights", "best"), [((0.6, 0.4), ["heat", "up"]), ((0.4, 0.6), ["up", "heat"])])
    def test_by_rank(self, ratings: Interactions, weights: tuple[float, float], best: list[str]) -> None:
        answer = Blend(members=[Popularity(), BIASES], weights=weights).fit(ratings, progress=False).recommend("dave")
        high, low = max(weights) / 61 + min(weights) / 62, max(weights) / 62 + min(weights) / 61
        assert answer.items == best
        np.testing.assert_allclose(answer.scores, [high, low], rtol=1e-6)
        assert {row.source for row in answer} == {"blend"}

    def test_by_score_equal_counts_say_nothing_and_two_different_scores_are_plus_and_minus_one(
        self, ratings: Interactions
    ) -> None:
        answer = Blend(members=[Popularity(), BIASES], weights=[0.6, 0.4], by="score").fit(ratings).recommend("dave")
        assert answer.items == ["up", "heat"]
        np.testing.assert_allclose(answer.scores, [0.4, -0.4], rtol=1e-6)

    def test_weights_are_shares(self, ratings: Interactions) -> None:
        model = Blend(members=["popularity", BIASES], weights=[3, 1]).fit(ratings)
        assert model.fitted_weights.tolist() == [0.75, 0.25]
        assert model.params["weights"] == (3, 1)

    def test_values_are_averaged_as_they_are(self, ratings: Interactions) -> None:
        parts = [ExplicitALS(factors=2), BIASES]
        model = Blend(members=parts, weights=[0.75, 0.25], by="score").fit(ratings, progress=False)
        first, second = (part.fit(ratings, progress=False).predict("dave", ["heat", "up"]) for part in parts)
        np.testing.assert_allclose(model.predict("dave", ["heat", "up"]), 0.75 * first + 0.25 * second, rtol=1e-6)
        assert model.predicts_ratings
        assert model.predict("dave", "up", clip=True) <= 5


@pytest.mark.parametrize("by", ["rank", "score"])
def test_lists_equal_plain_loops(some_ratings: Interactions, by: str) -> None:
    parts, weights = [ImplicitALS(factors=6), Popularity(), ExplicitALS(factors=4)], [0.5, 0.2, 0.3]
    model = Blend(members=parts, weights=weights, by=by).fit(some_ratings, progress=False)
    for part in parts:
        part.fit(some_ratings, progress=False)
    for user in (0, 40, 99):
        total: dict[int, float] = {}
        for part, weight in zip(parts, weights, strict=True):
            ranking = part.recommend(user, n=80)
            mean, spread = ranking.scores.mean(dtype=float), ranking.scores.std(dtype=float)
            for rank, (item, score) in enumerate(zip(ranking.items, ranking.scores, strict=True), start=1):
                says = 1 / (60 + rank) if by == "rank" else (score - mean) / spread
                total[item] = total.get(item, 0) + weight * says
        best = sorted(total, key=lambda item: (-round(total[item], 9), item))
        answer = model.recommend(user, n=80)
        np.testing.assert_allclose(answer.scores, [total[item] for item in answer.items], rtol=1e-4, atol=1e-6)
        assert answer.items[:10] == best[:10]


def test_similar_items_are_blended_too(some_ratings: Interactions) -> None:
    parts = [ImplicitALS(factors=6), ExplicitALS(factors=6)]
    model = Blend(members=parts, weights=[1, 0]).fit(some_ratings, progress=False)
    assert model.similar(3, n=20).items == parts[0].fit(some_ratings, progress=False).similar(3, n=20).items


def test_similar_items_come_from_the_parts_that_know_them(some_ratings: Interactions) -> None:
    factors = ImplicitALS(factors=6)
    model = Blend(members=[Popularity(), factors], weights=[1, 1]).fit(some_ratings, progress=False)
    assert model.similar(3, n=20).items == factors.fit(some_ratings, progress=False).similar(3, n=20).items
    part = Fallback(first=Popularity(), then=ItemKNN())  # whose first model knows none
    model = Blend(members=[part, factors], weights=[1, 1]).fit(some_ratings, progress=False)
    assert model.similar(3, n=20).items == factors.fit(some_ratings, progress=False).similar(3, n=20).items
    with pytest.raises(
        Unsupported, match=r"similar\(\) is not supported by blend\. Models that support it: explicit-als, "
    ):
        Blend(members=[Popularity(), Popularity()], weights=[1, 1]).fit(some_ratings, progress=False).similar(3)


class TestFitting:
    def test_found_weights_are_the_best_of_the_lattice(self, some_ratings: Interactions) -> None:
        settings: dict[str, Any] = {
            "members": [ImplicitALS(factors=4, epochs=3), Popularity()],
            "by": "score",
            "seed": 3,
        }
        fitted = Blend(**settings).fit(some_ratings, progress=False)
        held = split.per_user(some_ratings, n=5, seed=3)

        def judged(weights: list[float]) -> float:
            return evaluation.ndcg(Blend(**settings, weights=weights).fit(held.train, progress=False), held)

        points = simplex_grid(2).tolist()
        figures = [judged(point) for point in points]
        assert max(figures) > min(figures)
        assert fitted.fitted_weights.tolist() == points[int(np.argmax(np.round(figures, 12)))]

    def test_a_part_that_only_harms_gets_nothing(self, checkerboard: Interactions) -> None:
        """Who likes odd items likes odd items; what is popular is no guide."""
        parts = [ImplicitALS(factors=2), Popularity()]
        likes = checkerboard.binarize(4)
        held = split.per_user(likes, n=3)
        blend = Blend(members=parts).fit(held.train, progress=False)
        alone = parts[0].fit(held.train, progress=False)
        assert blend.fitted_weights[0] > 0.5
        assert evaluation.ndcg(blend, held) >= evaluation.ndcg(alone, held) - 0.01

    def test_only_some_users_are_judges_where_there_are_many(
        self, some_ratings: Interactions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("alsatian.models.ensemble.blend.MAX_VALIDATION_USERS", 20)
        models = [Blend(members=[ImplicitALS(factors=4, epochs=2), Popularity()]) for _ in range(2)]
        assert arrays(models[0].fit(some_ratings)) == arrays(models[1].fit(some_ratings))

    def test_nothing_can_be_held_out(self) -> None:
        with pytest.raises(DataError, match=r"no user has two or more; pass weights=\[\.\.\.\]"):
            Blend(members=[ImplicitALS(factors=1), Popularity()]).fit(from_matrix(np.eye(3)))

    def test_what_breaks_off_leaves_the_old_model_and_the_given_parts_whole(self, some_ratings: Interactions) -> None:
        part = ImplicitALS(factors=2, epochs=2)
        model = Blend(members=[part, Popularity()], weights=[1, 1]).fit(some_ratings)
        before, best = arrays(model), plain_answers(model.recommend())

        def broken(_: object) -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            model.fit(some_ratings.where(some_ratings.values > 2), callbacks=[broken])
        assert arrays(model) == before
        assert plain_answers(model.recommend()) == best
        assert not hasattr(part, "data"), "a blend learns in copies of its own"

    def test_its_parts_are_models(self, some_ratings: Interactions) -> None:
        held = split.per_user(some_ratings, n=2)
        blend = Blend(members=[ImplicitALS(factors=4), Popularity()], weights=[1, 1]).fit(held.train, progress=False)
        for part, same in zip(blend.members, (ImplicitALS(factors=4), Popularity()), strict=True):
            assert evaluation.ndcg(part, held) == evaluation.ndcg(same.fit(held.train, progress=False), held)

    @pytest.mark.parametrize("parts", [2, 3, 4, 5, 8, 30])
    def test_the_lattice(self, parts: int) -> None:
        points = simplex_grid(parts)
        assert np.unique(points, axis=0).shape == points.shape
        assert len(points) <= max(MAX_GRID_POINTS, parts)
        np.testing.assert_allclose(points.sum(axis=1), 1, rtol=1e-6)
        assert {tuple(corner) for corner in np.eye(parts)} <= {tuple(point) for point in points.tolist()}
        assert len(simplex_grid(2)) == MAX_GRID_STEPS + 1


def test_files_keep_the_settings_of_the_parts(ratings: Interactions, tmp_path: Path) -> None:
    parts = [ExplicitALS(factors=2, biases=False), Blend(members=[BIASES, "popularity"], weights=[1, 2])]
    model = Blend(members=parts, weights="fit", by="score").fit(ratings, progress=False)
    save(model, tmp_path / "a.model")
    loaded = load(tmp_path / "a.model")
    assert isinstance(loaded, Blend)
    assert repr(loaded) == repr(model)
    assert repr(loaded).startswith(
        "Blend(members=(ExplicitALS(factors=2, biases=False), Blend(members=(ExplicitALS(fact"
    )
    assert plain_answers(loaded.recommend()) == plain_answers(model.recommend())
    assert plain_answers(loaded.members[1].recommend()) == plain_answers(model.members[1].recommend())
    assert plain_answers(loaded.fit(ratings, progress=False).recommend()) == plain_answers(model.recommend())


def test_a_visitor_names_values_of_the_scale(ratings: Interactions) -> None:
    model = Blend(members=[BIASES, Popularity()], weights=[1, 1]).fit(ratings)
    with pytest.raises(DataError, match="the value 500 of item 'iron' is outside the scale 1 to 5"):
        model.fold_in({"iron": 500})
    assert model.fold_in(["iron"]).batch.histories.values.tolist() == [5]


def test_what_it_cannot_do_names_who_can(ratings: Interactions) -> None:
    model = Blend(members=[BIASES, Popularity()], weights=[1, 1], by="score").fit(ratings)
    for ask in (lambda: model.predict("dave", "up"), lambda: model.explain("dave", "up")):
        with pytest.raises(Unsupported, match="explicit-als"):
            ask()


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"members": ["popularity"]}, "members needs at least 2 models, not 1; pass models such as ImplicitALS()"),
    ({"members": 5}, "members=5 is not a list; pass models such as ImplicitALS(), or their names."),
    ({"members": [Popularity, BIASES]}, "Popularity'> is not a model; pass models such as ImplicitALS(), or their"),
    ({"members": ["popularity", "implicit-asl"]}, "there is no model 'implicit-asl'; choose explicit-als, implicit-a"),
    ({"members": ["popularity", "implicit-asl"]}, "Did you mean 'implicit-als'?"),
    ({"members": "popularity,implicit-als:factors"}, "'implicit-als:factors' is not NAME:SETTING=VALUE; pass a name"),
    ({"members": "popularity,implicit-als:factors=x"}, "factors=x is not a whole number"),
    ({"members": "popularity,implicit-als:factor=2"}, "Did you mean 'factors'?"),
    ({"weights": [1, 2, 3]}, "weights has 3 numbers for 2 members; pass one for each, or 'fit'."),
    ({"weights": [1, -0.5]}, "weights contains -0.5; pass finite numbers of 0 or more."),
    ({"weights": [1, float("nan")]}, "weights contains nan; pass finite numbers of 0 or more."),
    ({"weights": [0, 0]}, "weights=[0, 0] has no positive weight; pass at least one number above 0."),
    ({"weights": "even"}, "weights='even' is not valid; pass 'fit', or numbers such as [0.6, 0.4]."),
    ({"weights": [True, 1]}, "weights=[True, 1] is not valid; pass 'fit', or numbers"),
    ({"weights": None}, "weights=None is not valid; pass 'fit', or numbers"),
    ({"by": "ranks"}, "Did you mean 'rank'?"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "message"), REFUSED)
def test_a_bad_setting_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        Blend(**settings)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_settings_are_read_from_a_command_line() -> None:
    parts = Blend.param("members").parse("members", "implicit-als:factors=8:reg=0.5, popularity")
    assert repr(parts) == "(ImplicitALS(factors=8, reg=0.5), Popularity())"
    read = Blend.param("weights").parse
    assert (read("weights", "0.6, 0.4"), read("weights", "fit")) == ((0.6, 0.4), "fit")
    with pytest.raises(ParameterError, match=r"weights=a,b is not valid; pass fit, or numbers such as 0\.6,0\.4"):
        read("weights", "a,b")
    with pytest.raises(ParameterError, match="weights contains -1"):
        read("weights", "2,-1")
