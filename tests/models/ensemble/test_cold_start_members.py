"""Blends and fallbacks of models that place items and users by attributes, and of such that do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alsatian.data.interactions import Interactions
from alsatian.errors import UnknownUser
from alsatian.models import BiasModel, Blend, ExplicitALS, Fallback, ImplicitALS, ItemKNN, Model, Popularity
from alsatian.models.ensemble.rank_fusion import fill_missing_scores, members_that_score
from alsatian.persistence.save_load import load, save
from support.problems import COLD_ITEMS, COLD_USERS

USER, ITEM = COLD_USERS[0], COLD_ITEMS[0]
PLACING = ImplicitALS(factors=6, epochs=3, item_attributes="year", user_attributes="age")
RATING = ExplicitALS(factors=6, epochs=3, item_attributes="year", user_attributes="age")
BIASES = BiasModel(epochs=3)
PREFERRED = Fallback(first=RATING, then=BIASES)
COMBINED = {
    "blend by rank": Blend(members=[PLACING, ItemKNN()], weights=[1, 1]),
    "blend by score": Blend(members=[ItemKNN(), PLACING], weights=[3, 1], by="score"),
    "blend, popularity": Blend(members=[PLACING, Popularity()], weights=[0.4, 0.6]),
    "blend of predictions": Blend(members=[RATING, BIASES], weights=[1, 1], by="score"),
    "blend of a blend": Blend(
        members=[Blend(members=[PLACING, ItemKNN()], weights=[1, 1]), Popularity()], weights=[1, 1]
    ),
    "fallback": Fallback(first=PLACING),
    "fallback to it": Fallback(first=ItemKNN(), then=PLACING),
    "fallback to ratings": Fallback(first=BIASES, then=RATING, min_history=3),
}


def alone(model: Model, data: Interactions) -> Model:
    """Return the part that places, fitted by itself."""
    return (RATING if "explicit" in repr(model).lower() else PLACING).fit(data, progress=False)


@pytest.mark.parametrize("model", COMBINED.values(), ids=COMBINED)
class TestPlacedInParts:
    def test_who_is_placed_gets_the_list_of_the_model_that_places_her(
        self, model: Model, some_cold_ratings: Interactions
    ) -> None:
        answer = model.fit(some_cold_ratings, progress=False).recommend(USER, n=8)
        assert answer.items == alone(model, some_cold_ratings).recommend(USER, n=8).items
        assert {row.source for row in answer} == {"attributes"}

    def test_placed_items_are_in_the_order_of_the_model_that_places_them(
        self, model: Model, some_cold_ratings: Interactions
    ) -> None:
        answer = model.fit(some_cold_ratings, progress=False).recommend(3, allow=COLD_ITEMS)
        assert answer.items == alone(model, some_cold_ratings).recommend(3, allow=COLD_ITEMS).items
        assert {row.source for row in answer} == {"attributes"}

    def test_a_file_keeps_who_is_placed(self, model: Model, some_cold_ratings: Interactions, tmp_path: Path) -> None:
        model.fit(some_cold_ratings, progress=False)
        save(model, tmp_path / "a.model")
        users = [*COLD_USERS, 3]
        assert list(load(tmp_path / "a.model").recommend(users)) == list(model.recommend(users))

    def test_everybody_includes_them(self, model: Model, some_cold_ratings: Interactions) -> None:
        assert set(COLD_USERS) <= set(model.fit(some_cold_ratings, progress=False).recommend(n=1).queries)


def test_predictions_of_the_placed_are_those_of_the_part_that_places(some_cold_ratings: Interactions) -> None:
    users, items = [USER, USER, 3], [5, ITEM, ITEM]
    placing = RATING.fit(some_cold_ratings, progress=False)
    for model in (PREFERRED, COMBINED["blend of predictions"], COMBINED["fallback to ratings"]):
        predicted = model.fit(some_cold_ratings, progress=False).predict(users, items)
        np.testing.assert_allclose(predicted, placing.predict(users, items), rtol=1e-6)


def test_similar_to_a_placed_item(some_cold_ratings: Interactions) -> None:
    placing = PLACING.fit(some_cold_ratings, progress=False).similar(ITEM, n=5)
    for name in ("blend by rank", "blend by score", "fallback", "fallback to it"):
        answer = COMBINED[name].fit(some_cold_ratings, progress=False).similar(ITEM, n=5)
        assert answer.items == placing.items, name
        assert {row.source for row in answer} == {"attributes"}


def test_explanations_name_the_attributes(some_cold_ratings: Interactions) -> None:
    for model in (PLACING, Fallback(first=PLACING), Fallback(first=ItemKNN(), then=PLACING)):
        model.fit(some_cold_ratings, progress=False)
        assert model.explain(3, ITEM).placed_by == {"item": ("year",)}
        assert model.explain(3, ITEM).reasons
        explanation = model.explain(USER, ITEM)
        assert (explanation.placed_by, explanation.reasons) == ({"user": ("age",), "item": ("year",)}, [])
        assert str(explanation).splitlines()[1:] == [
            "  the user is represented by age",
            "  the item is represented by year",
        ]
        assert model.explain(3, 5).placed_by == {}
        assert model.fold_in([5, 7]).explain(ITEM).placed_by == {"item": ("year",)}


def test_who_knows_by_values_comes_before_who_places(some_cold_ratings: Interactions) -> None:
    answer = Fallback(first=ItemKNN(), then=PLACING).fit(some_cold_ratings, progress=False).recommend(3, n=80)
    assert [row.source for row in answer][-len(COLD_ITEMS) :] == ["attributes"] * len(COLD_ITEMS)
    assert {row.source for row in answer} == {"knn", "attributes"}


def test_nobody_is_placed_where_no_part_places(some_cold_ratings: Interactions) -> None:
    for model in (Blend(members=[ItemKNN(), Popularity()], weights=[1, 1]), Fallback(first=ItemKNN())):
        with pytest.raises(UnknownUser, match=f"user {USER} has no values .* fold in a history"):
            model.fit(some_cold_ratings, progress=False).recommend(USER)


def test_who_counts_for_a_pair() -> None:
    """Who knows both; if nobody does, who knows the person; if nobody does, everybody."""
    people = np.array([[True, True], [True, False], [True, False], [False, False]])
    items = np.array([[True, False], [True, True], [False, True], [True, True]])
    speaks = members_that_score(people, items)
    assert speaks.tolist() == [[True, False], [True, False], [True, False], [True, True]]
    scores = np.array([[3, 9], [1, 9], [2, 9], [1, 9]], np.float32)
    assert fill_missing_scores(scores, speaks).tolist() == [[3, 3], [1, 1], [2, 2], [1, 9]]
