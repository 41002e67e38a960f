"""Items and users without values, placed by attributes: what they are given, what answers say, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from alsatian.data.catalog import Catalog
from alsatian.data.id_map import IdMap
from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError, UnknownItem, UnknownUser
from alsatian.models import BiasedMF, ExplicitALS, Model, PureSVD
from alsatian.models.factors import cold_start
from alsatian.models.factors.attribute_encoding import RELATIVE_STRENGTHS, encode_attributes, ridge
from alsatian.persistence.save_load import load, save
from support.notebook import HtmlTable

COLD_ITEMS, COLD_USERS = [4, 5], [8, 9]
BOTH = {"factors": 4, "item_attributes": "parity", "user_attributes": ("parity",)}


@pytest.fixture
def board(checkerboard: Interactions) -> Interactions:
    """The checkerboard, two items and two users without values; everybody's parity is known."""
    cold = np.isin(checkerboard.items, COLD_ITEMS) | np.isin(checkerboard.users, COLD_USERS)
    tables = {
        name: Catalog.from_columns(ids, range(len(ids)), {"parity": [("even", "odd")[n % 2] for n in range(len(ids))]})
        for name, ids in (("catalog", checkerboard.item_ids), ("user_table", checkerboard.user_ids))
    }
    return replace(checkerboard.where(~cold), **tables)


class TestAnswers:
    @pytest.mark.parametrize("model", [ExplicitALS(**BOTH), BiasedMF(**BOTH), PureSVD(**BOTH)], ids=lambda m: m.name)
    def test_a_new_item_goes_to_those_who_like_its_like(self, board: Interactions, model: Model) -> None:
        """Even users like even items, and all four are new to each other."""
        model.fit(board, progress=False)
        new = model.recommend([0, 1, 8, 9], n=1, allow=COLD_ITEMS)
        assert new.items == [4, 5, 4, 5]
        assert {row.source for row in new} == {"attributes"}

    def test_predictions(self, board: Interactions) -> None:
        model = ExplicitALS(**BOTH).fit(board, progress=False)
        assert (model.predict([0, 8, 8, 9], [4, 4, 6, 7]) > 4).all()
        assert (model.predict([0, 8, 8, 9], [5, 5, 7, 6]) < 2).all()

    def test_each_place_names_its_source(self, board: Interactions) -> None:
        model = ExplicitALS(**BOTH).fit(board, progress=False)
        some = {"allow": [2, 4, 6], "exclude_seen": False}
        assert {row.item: row.source for row in model.recommend(0, **some)} == {2: "als", 4: "attributes", 6: "als"}
        assert {row.source for row in model.recommend(8, **some)} == {"attributes"}
        assert {row.item: row.source for row in model.similar(2, allow=[4, 6])} == {4: "attributes", 6: "als"}
        assert {row.source for row in model.similar(4, allow=[2, 6])} == {"attributes"}
        visitor = model.fold_in({0: 5, 1: 1})
        assert {row.item: row.source for row in visitor.recommend(allow=[4, 6])} == {4: "attributes", 6: "fold_in"}

    def test_explanations(self, board: Interactions) -> None:
        """Her items speak for a new one as for any other; a new user has none, so all of the score is its base."""
        model = ExplicitALS(**BOTH).fit(board, progress=False)
        explanation = model.explain(0, 4)
        assert explanation.score == pytest.approx(model.predict(0, 4)[0], abs=1e-4)
        assert {reason.value for reason in explanation.reasons[:5]} == {5}
        new = model.explain(8, 6)
        assert (new.score, new.base, new.reasons) == (pytest.approx(model.predict(8, 6)[0]), new.score, [])
        assert [row.reasons for row in model.recommend(8, n=2, reasons=True)] == [[], []]
        assert str(new).splitlines()[1:] == [f"  {note}" for note in HtmlTable(new).notes]
        assert HtmlTable(new).rows == []

    def test_everybody_includes_those_who_were_placed(self, board: Interactions) -> None:
        assert len(ExplicitALS(**BOTH).fit(board, progress=False).recommend(n=1).queries) == 40
        assert len(ExplicitALS(factors=4).fit(board, progress=False).recommend(n=1).queries) == 38

    def test_a_model_file_keeps_them_without_what_is_known_of_users(self, board: Interactions, tmp_path: Path) -> None:
        model = ExplicitALS(**BOTH).fit(board, progress=False)
        save(model, tmp_path / "a.model")
        loaded = load(tmp_path / "a.model")
        assert loaded.recommend(8, n=3).to_pandas().equals(model.recommend(8, n=3).to_pandas())
        assert not loaded.data.user_table.columns

    def test_nothing_changes_for_the_others(self, board: Interactions) -> None:
        plain, placing = (ExplicitALS(**s).fit(board, progress=False) for s in ({"factors": 4}, BOTH))
        rated, active = board.item_counts > 0, board.by_user.counts > 0
        assert placing.item_factors[rated].tobytes() == plain.item_factors[rated].tobytes()
        assert placing.user_factors[active].tobytes() == plain.user_factors[active].tobytes()

    def test_who_has_no_attribute_stays_unknown(self, board: Interactions) -> None:
        missing = Catalog.from_columns(board.user_ids, range(8), {"parity": ["even"] * 8})
        model = ExplicitALS(**BOTH).fit(replace(board, user_table=missing), progress=False)
        for ask in (lambda: model.recommend(8), lambda: model.explain(8, 2), lambda: model.predict([0, 8], 2)):
            with pytest.raises(UnknownUser, match="user 8 has no values"):
                ask()
        with pytest.raises(UnknownItem, match="item 4 has no values"):
            ExplicitALS(factors=4).fit(board, progress=False).similar(4)

    def test_what_has_no_values_is_predicted_as_the_word_says(self, board: Interactions) -> None:
        model = ExplicitALS(factors=4).fit(board, progress=False)
        with pytest.raises(UnknownItem, match=r"item 4 has no values .* pass unknown='bias' or unknown='skip'"):
            model.predict(0, [2, 4])
        assert np.isnan(model.predict([0, 0, 8], [2, 4, 2], unknown="skip")).tolist() == [False, True, True]
        predicted = model.predict([0, 8], [4, 2], unknown="bias")
        np.testing.assert_array_equal(predicted, model.predict([0, 9999], [9999, 2], unknown="bias"))


class TestRefused:
    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            (
                {"item_attributes": "party"},
                r"'party' is not a column of the item table; choose from 'parity'. Did you mean 'parity'",
            ),
            (
                {"user_attributes": ["age"]},
                r"user_attributes='age' is not a column of the user table; choose from 'parity'",
            ),
            (
                {"item_attributes": 3},
                r"item_attributes=3 is not a list of column names; pass names, such as 'genres,year'",
            ),
        ],
    )
    def test_columns_that_are_not_there(self, board: Interactions, settings: dict[str, Any], words: str) -> None:
        with pytest.raises(ParameterError, match=words):
            ExplicitALS(factors=4, **settings).fit(board, progress=False)

    def test_data_without_tables(self, checkerboard: Interactions) -> None:
        for side in ("item", "user"):
            with pytest.raises(
                ParameterError, match=rf"this data has none; pass {side}s= when reading \(--{side}s FILE\)"
            ):
                ExplicitALS(factors=4, **{f"{side}_attributes": "parity"}).fit(checkerboard, progress=False)

    def test_columns_that_nothing_shares(self, board: Interactions) -> None:
        names = Catalog.from_columns(board.item_ids, range(30), {"parity": [f"item {n}" for n in range(30)]})
        with pytest.raises(ParameterError, match="has no feature that 5 items with values share"):
            ExplicitALS(**BOTH).fit(replace(board, catalog=names), progress=False)


class TestFeatures:
    def test_each_kind_of_column(self, checkerboard: Interactions) -> None:
        """A title has words, genres are parted, few numbers are words; what fewer than five share is left out."""
        columns = {
            "title": [f"The {('Cat', 'Dog')[n % 2]} ({1990 + n})" for n in range(30)],
            "genres": ["Comedy|Drama"] * 10 + ["Drama"] * 10 + [None] * 10,
            "stars": [n % 3 for n in range(30)],
        }
        catalog = Catalog.from_columns(checkerboard.item_ids, range(30), columns)
        everybody = np.ones(30, bool)
        wide = {name: encode_attributes(catalog, [name], everybody).toarray() for name in columns}
        assert {name: one.shape[1] for name, one in wide.items()} == {"title": 3, "genres": 2, "stars": 3}
        assert sorted(wide["title"].sum(axis=0).tolist()) == [15, 15, 30]
        assert sorted(wide["genres"].sum(axis=0).tolist()) == [10, 20]
        assert encode_attributes(catalog, ["genres"], everybody & (np.arange(30) > 6)).shape[1] == 1

    def test_many_numbers_fall_into_ten_intervals(self) -> None:
        prices: list[float | None] = [n**1.5 for n in range(200)]
        ids = IdMap(np.arange(201), "item")
        encoded = encode_attributes(
            Catalog.from_columns(ids, range(201), {"price": [*prices, None]}), ["price"], np.ones(201, bool)
        )
        assert encoded.sum(axis=0).tolist() == [20] * 10
        assert encoded.sum(axis=1).tolist() == [1] * 200 + [0]


class TestRidge:
    def test_it_is_the_closed_form_at_the_best_generalized_cross_validation(self) -> None:
        rng = np.random.default_rng(0)
        a, weights = (rng.random((60, 7)) < 0.4).astype(float), rng.uniform(0.5, 3, 60)
        targets = a @ rng.standard_normal((7, 3)) + rng.standard_normal((60, 3))
        intercepts, coefficients = ridge(csr_array(a), targets, weights)
        best = min(
            (_slow_ridge(a, targets, weights, share) for share in RELATIVE_STRENGTHS), key=lambda solution: solution[0]
        )
        np.testing.assert_allclose(np.vstack([intercepts, coefficients]), best[1], atol=1e-10)


def _slow_ridge(a: Any, targets: Any, weights: Any, share: float) -> tuple[float, Any]:
    """Return the generalized cross-validation and the solution, by the normal equations with an intercept."""
    d, centred = np.diag(weights), a - weights @ a / weights.sum()
    strength = share * np.linalg.eigvalsh(centred.T @ d @ centred).max()
    wide = np.column_stack([np.ones(len(a)), a])
    system = wide.T @ d @ wide + strength * np.diag([0.0] + [1.0] * a.shape[1])
    solution = np.linalg.solve(system, wide.T @ d @ targets)
    trace = np.trace(wide @ np.linalg.solve(system, wide.T @ d))
    errors = weights @ ((targets - wide @ solution) ** 2).sum(axis=1)
    return errors / (len(a) - trace) ** 2, solution


def test_factors_that_may_not_be_negative_are_not_when_placed(
    some_cold_ratings: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cold_start, "_fill_cold_rows", lambda array, *_: array - 1)  # a regression that falls below 0
    model = ExplicitALS(factors=3, nonnegative=True, item_attributes="year").fit(some_cold_ratings, progress=False)
    assert model.item_factors.min() == 0


def test_features_that_all_share_tell_nothing() -> None:
    intercepts, coefficients = ridge(csr_array(np.ones((4, 2))), np.arange(4.0)[:, None], np.ones(4))
    assert intercepts == pytest.approx(1.5)
    assert coefficients == pytest.approx(0)
