"""Visitors: people who were not in the data, known by a few items."""

from __future__ import annotations

import numpy as np
import pytest

from alsatian.data.interactions import Interactions
from alsatian.errors import AlsatianError, DataError, ParameterError, UnknownItem, UnknownUser
from alsatian.models import ExplicitALS, ImplicitALS, Popularity
from support.notebook import HtmlTable


@pytest.fixture
def explicit(ratings: Interactions) -> ExplicitALS:
    return ExplicitALS(factors=2).fit(ratings)


def test_items_are_named_by_id_or_by_title(explicit: ExplicitALS) -> None:
    by_id = explicit.fold_in({"iron": 5, "up": 2}).recommend()
    by_title = explicit.fold_in({"Iron Man (2008)": 5, "Up (2009)": 2}).recommend()
    assert by_title.rows.tolist() == by_id.rows.tolist()
    assert by_title.scores.tobytes() == by_id.scores.tobytes()


def test_a_list_means_the_top_of_the_scale(explicit: ExplicitALS) -> None:
    favorites, valued = explicit.fold_in(["iron", "heat"]), explicit.fold_in({"iron": 5, "heat": 5})
    assert favorites.recommend().scores.tobytes() == valued.recommend().scores.tobytes()


def test_a_like_is_worth_one_where_values_are_amounts(ratings: Interactions) -> None:
    model = ImplicitALS(factors=2).fit(ratings.binarize(4))
    assert model.fold_in(["iron"]).batch.histories.values.tolist() == [1.0]


def test_ratings_become_likes_as_the_recipe_says(ratings: Interactions) -> None:
    """The model learned from ratings of 4 and more as likes: a visitor's 5 is a like, her 2 is nothing."""
    model = ImplicitALS(factors=2).fit(ratings.binarize(4))
    visitor = model.fold_in({"iron": 5, "up": 2, "heat": 4})
    assert visitor.batch.histories.indices.tolist() == [1, 2]
    assert visitor.batch.histories.values.tolist() == [1.0, 1.0]
    with pytest.raises(DataError, match=r"has no usable item \(the recipe drops values below 4\)"):
        model.fold_in({"up": 3})


def test_a_visitor_does_not_change_the_model(explicit: ExplicitALS) -> None:
    before = explicit.user_factors.copy()
    visitor = explicit.fold_in({"iron": 5})
    visitor.recommend()
    assert np.array_equal(explicit.user_factors, before)
    assert visitor.model is explicit


def test_what_she_has_seen_is_left_out_unless_asked_for(explicit: ExplicitALS) -> None:
    visitor = explicit.fold_in({"iron": 5, "up": 2})
    assert set(visitor.recommend().items) == {"cars", "heat", "iron2"}
    assert set(visitor.recommend(exclude_seen=False).items) == {"cars", "heat", "iron", "iron2", "up"}
    assert set(visitor.recommend(where="year > 2000", deny=["cars"]).items) == {"iron2"}
    assert len(visitor.recommend(1)) == 1


def test_her_predictions_are_the_scores_of_her_list(explicit: ExplicitALS) -> None:
    visitor = explicit.fold_in({"iron": 5, "up": 1})
    best = visitor.recommend()
    np.testing.assert_allclose(visitor.predict(best.items), best.scores, rtol=1e-5)
    assert visitor.predict("up").shape == (1,)
    assert explicit.fold_in(["iron"]).predict(["heat", "up"], clip=True).max() <= 5


def test_reasons_name_her_items(explicit: ExplicitALS) -> None:
    row = next(iter(explicit.fold_in({"iron": 5, "up": 1}).recommend(reasons=True)))
    assert {title for title, _ in row.reasons or []} == {"Iron Man (2008)", "Up (2009)"}


def test_tastes_show_in_the_lists(explicit: ExplicitALS) -> None:
    """Who likes Iron Man is told of its sequel, who likes Up of Cars."""
    assert explicit.fold_in({"iron": 5, "up": 1}).recommend().items[0] == "iron2"
    assert explicit.fold_in({"iron": 1, "up": 5}).recommend().items[0] == "cars"


def test_the_visitor_is_printed_by_what_she_likes(explicit: ExplicitALS) -> None:
    visitor = explicit.fold_in({"iron": 5, "up": 1})
    assert repr(visitor) == "Visitor(Iron Man (2008), Up (2009))"


def test_a_notebook_shows_the_explanation_that_is_printed(explicit: ExplicitALS) -> None:
    explanation = explicit.fold_in({"iron": 5, "up": 1}).explain("heat")
    table, (title, *lines) = HtmlTable(explanation), str(explanation).splitlines()
    assert table.caption == title
    assert table.rows[0] == ["item", "value", "contribution"]
    assert [f"  {gain}  {item} (value {value})" for item, value, gain in table.rows[1:]] == lines
    assert len(lines) == 2
    assert table.number_columns == {"value", "contribution"}


def test_popularity_leaves_out_what_a_visitor_has_seen(ratings: Interactions) -> None:
    model = Popularity().fit(ratings)
    assert model.recommend("dave").items == ["heat", "up"]
    assert model.fold_in(["iron"]).recommend(2).items == ["cars", "iron2"]
    assert model.fold_in(["iron"]).recommend(2).scores.tolist() == [3.0, 3.0]


def test_an_unknown_title_offers_the_nearest(explicit: ExplicitALS) -> None:
    with pytest.raises(UnknownItem, match=r"no item 'Iron Mam'.*'Iron Man \(2008\)'"):
        explicit.fold_in(["Iron Mam"])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_must_be_a_finite_number(explicit: ExplicitALS, value: float) -> None:
    with pytest.raises(DataError, match=f"the value {value} of 'iron' is not a finite number"):
        explicit.fold_in({"iron": value})


def test_a_history_is_a_list_or_a_mapping(explicit: ExplicitALS) -> None:
    with pytest.raises(ParameterError, match=r"pass \['iron'\]"):
        explicit.fold_in("iron")
    with pytest.raises(DataError, match="add at least one item"):
        explicit.fold_in([])
    for wrong in (5, {"iron": "five"}):
        with pytest.raises(AlsatianError):
            explicit.fold_in(wrong)  # type: ignore[arg-type]


def test_pairs_of_different_lengths_are_refused(explicit: ExplicitALS) -> None:
    with pytest.raises(ParameterError, match=r"3 .*2"):
        explicit.predict(["alice", "bob", "carol"], ["up", "iron"])


def test_a_value_outside_the_scale_is_refused(ratings: Interactions) -> None:
    model = ExplicitALS(factors=2).fit(ratings)
    with pytest.raises(DataError, match="the value 500 of item 'iron' is outside the scale 1 to 5; pass a value"):
        model.fold_in({"iron": 500})


def test_an_item_that_nobody_has_says_nothing_of_a_visitor(ratings: Interactions) -> None:
    rest = ratings.where(ratings.items != ratings.item_ids.row("iron"))
    model = ExplicitALS(factors=2).fit(rest)
    for ask in (lambda: model.fold_in(["iron"]), lambda: model.similar("iron")):
        with pytest.raises(UnknownItem, match="item 'iron' has no values in the training data"):
            ask()


def test_a_user_of_whom_nothing_is_known_has_no_explanation(ratings: Interactions) -> None:
    rest = ratings.where(ratings.users != 0)
    user = ratings.user_ids.id_of(0)
    with pytest.raises(UnknownUser, match=f"user '{user}' has no values"):
        ExplicitALS(factors=2).fit(rest).explain(user, "iron")


def test_titles_serve_as_items_of_predictions(ratings: Interactions) -> None:
    model = ExplicitALS(factors=2).fit(ratings)
    title = ratings.catalog.title_of(ratings.item_ids.row("iron"))
    assert title is not None
    assert model.predict("alice", [title, "iron"]).tolist() == model.predict("alice", ["iron", "iron"]).tolist()
