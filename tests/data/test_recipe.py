"""Recipes as rules: what is refused, what survives JSON and TOML, and the arithmetic of each rule."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsatian.data import weighting
from alsatian.data.fitted_recipe import FittedRecipe
from alsatian.data.recipe import Recipe
from alsatian.data.weighting import SECONDS_PER_DAY
from alsatian.errors import ParameterError, SourceError
from support.notebook import HtmlTable

FULL = Recipe(
    columns={"event": "what"},
    duplicates="max",
    min_rating=2,
    events={"VIEW": 1, "LIKE": 2},
    unknown_events=0.5,
    half_life="8w",
    reference_date="2016-12-31",
    min_per_user=2,
    min_per_item=3,
    confidence="bm25",
    k1=2,
    b=0.5,
    length="item",
)

FITTED = FittedRecipe.from_recipe(FULL)


class TestRules:
    @pytest.mark.parametrize(
        ("rules", "words"),
        [
            ({"duplicates": "first"}, "duplicates='first' is not valid; choose 'last' or 'sum' or 'max'"),
            ({"confidence": "tfidf"}, "confidence='tfidf' is not valid; choose 'none' or 'log' or 'bm25'"),
            ({"events": ["VIEW"]}, r"events=\['VIEW'\] is not a mapping from names to weights"),
            ({"events": {"VIEW": "much"}}, "the weight of 'VIEW' in events='much' is not a finite number"),
            ({"events": {"VIEW": math.inf}}, "the weight of 'VIEW' in events=inf is not a finite number"),
            ({"signals": {"clicks": 0}}, "the weight of 'clicks' in signals is 0; it must be above 0"),
            ({"events": {"VIEW": 1}, "unknown_events": "drop"}, "'drop' is not valid; choose 'raise', 'ignore' or a"),
            ({"unknown_events": "ignore"}, "unknown_events='ignore' has no effect alone; pass events="),
            ({"normalize": "rank"}, "normalize='rank' has no effect alone; pass signals="),
            ({"reference_date": 5}, "reference_date=5 has no effect alone; pass half_life="),
            ({"k1": 1.5}, "k1=1.5 has no effect alone; pass confidence='bm25'"),
            ({"confidence": "bm25", "b": 2}, "b=2 is out of bounds; pass at most 1"),
            ({"half_life": "a month"}, "half_life='a month' is not a duration; write days, or '12h'"),
            ({"half_life": 0}, "half_life=0 is not a duration; it must be above 0"),
            (
                {"half_life": 3, "reference_date": "soon"},
                "reference_date='soon' is not a date or time; write a date such as 2016-12-31",
            ),
            ({"min_per_user": 0}, "min_per_user=0 is too small; the minimum is 1"),
            ({"min_per_item": 2.5}, "min_per_item=2.5 is not a whole number"),
            ({"columns": "user"}, "columns='user' is not a mapping from roles to columns"),
        ],
    )
    def test_what_is_no_rule_is_refused(self, rules: dict[str, object], words: str) -> None:
        with pytest.raises(ParameterError, match=words) as raised:
            Recipe(**rules)  # type: ignore[arg-type]
        assert "\n" not in str(raised.value)

    @pytest.mark.parametrize(
        "moment", ["2016-12-31", date(2016, 12, 31), datetime(2016, 12, 31, tzinfo=UTC), 1483142400]
    )
    def test_moments_are_written_in_many_ways(self, moment: object) -> None:
        assert Recipe(half_life=1, reference_date=moment).reference_date == 1483142400  # type: ignore[arg-type]

    def test_it_is_printed_by_the_rules_that_were_given(self) -> None:
        assert repr(Recipe(duplicates="max", half_life="12h")) == "Recipe(duplicates='max', half_life=0.5)"

    def test_a_notebook_shows_the_rules_that_were_given(self) -> None:
        recipe = Recipe(events={"<b>": 1}, half_life="12h")
        for shown in (recipe, FittedRecipe.from_recipe(recipe)):
            assert HtmlTable(shown).rows == [["rule", "value"], ["events", "{'<b>': 1.0}"], ["half_life", "0.5"]]
            assert all(f"{name}={value}" in repr(shown) for name, value in HtmlTable(shown).rows[1:])
        assert HtmlTable(Recipe()).caption == repr(Recipe())

    def test_json_keeps_all(self) -> None:
        assert FittedRecipe.from_json(FITTED.to_json() | {"something": "newer"}) == FITTED

    def test_a_header_of_the_first_version_is_read(self) -> None:
        old = {"columns": {"user": "u"}, "duplicates": "last", "min_rating": None, "reading": {"bad_rows": "skip"}}
        recipe = FittedRecipe.from_json(old)
        assert (recipe.duplicates, recipe.reading, recipe.makes_confidences) == ("last", {"bad_rows": "skip"}, False)


class TestToml:
    def test_all_rules(self, tmp_path: Path) -> None:
        path = tmp_path / "recipe.toml"
        path.write_text(
            'duplicates = "max"\nmin_rating = 2\nunknown_events = 0.5\nhalf_life = "8w"\nreference_date = 2016-12-31\n'
            'min_per_user = 2\nmin_per_item = 3\nconfidence = "bm25"\nk1 = 2\nb = 0.5\nlength = "item"\n'
            '[columns]\nevent = "what"\n[events]\nVIEW = 1\nLIKE = 2\n'
        )
        assert Recipe.from_toml(path) == FULL

    @pytest.mark.parametrize(
        ("text", "kind", "words"),
        [
            (
                "halflife = 3",
                ParameterError,
                r"'halflife' is not a rule of a recipe; the rules are .* Did you mean 'half_life'\?",
            ),
            ("at_least = 3", ParameterError, r"'at_least' is not a rule of a recipe; .* Did you mean 'min_rating'\?"),
            (
                "reference = 3",
                ParameterError,
                r"'reference' is not a rule of a recipe; .* Did you mean 'reference_date'\?",
            ),
            ("fitted = {}", ParameterError, "'fitted' is not a rule of a recipe"),
            ("half_life = -3", ParameterError, "r.toml: half_life=-3 is not a duration"),
            ("half_life = = 3", SourceError, "r.toml is not TOML: Invalid value"),
        ],
    )
    def test_what_is_wrong_is_named_with_the_file(
        self, tmp_path: Path, text: str, kind: type[Exception], words: str
    ) -> None:
        (tmp_path / "r.toml").write_text(text)
        with pytest.raises(kind, match=words):
            Recipe.from_toml(tmp_path / "r.toml")

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match=r"r\.toml cannot be read: No such file"):
            Recipe.from_toml(tmp_path / "r.toml")


class TestAge:
    @given(st.integers(0, 5_000), st.floats(0.1, 1000))
    def test_a_value_halves_at_the_half_life(self, days: int, half_life: float) -> None:
        times = np.array([10_000 - days]) * SECONDS_PER_DAY
        now, later = (
            weighting.half_life_decay(times, round((10_000 + more) * SECONDS_PER_DAY), half_life)[0]
            for more in (0.0, half_life)
        )
        assert later == pytest.approx(max(now / 2, 1e-30), rel=1e-3)

    def test_what_is_newer_than_the_reference_has_lost_nothing(self) -> None:
        assert weighting.half_life_decay(np.array([5 * SECONDS_PER_DAY]), reference=0, half_life=1).tolist() == [1.0]

    def test_nothing_fades_to_zero(self) -> None:
        assert np.float32(weighting.half_life_decay(np.array([0]), reference=10**9, half_life=1))[0] > 0


class TestNormalisation:
    def test_minmax_keeps_its_bounds_for_new_values(self) -> None:
        bends = weighting.fit_scaler(np.array([10, 20, 50]), "minmax")
        assert weighting.apply_scaler(np.array([10, 30, 50, 90, 0]), bends).tolist() == [0, 0.5, 1, 1, 0]

    def test_rank_is_the_share_of_smaller_values(self) -> None:
        bends = weighting.fit_scaler(np.array([1, 1, 7, 1000]), "rank")
        assert weighting.apply_scaler(np.array([1, 7, 1000, 4, 9999]), bends).tolist() == [
            0.25,
            0.625,
            0.875,
            0.4375,
            0.875,
        ]

    @given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=200))
    def test_ranks_are_those_of_the_definition(self, column: list[int]) -> None:
        values = np.array(column, float)
        less = (values[:, None] > values).mean(axis=1)
        equal = (values[:, None] == values).mean(axis=1)
        np.testing.assert_allclose(
            weighting.apply_scaler(values, weighting.fit_scaler(values, "rank")), less + equal / 2
        )

    def test_long_columns_are_kept_by_some_of_their_values(self) -> None:
        values = np.random.default_rng(0).exponential(size=20_000)
        bends = weighting.fit_scaler(values, "rank")
        assert len(bends["at"]) == 1_001
        exact = (np.argsort(np.argsort(values)) + 0.5) / len(values)
        assert np.abs(weighting.apply_scaler(values, bends) - exact).max() < 0.002


class TestCore:
    def test_users_and_items_go_one_after_another(self) -> None:
        """Item 2 has one value; without it user 1 has one; without her item 1 has one, too."""
        users, items = np.array([0, 0, 1, 1, 2, 2, 3]), np.array([0, 3, 1, 2, 0, 3, 1])
        assert np.flatnonzero(weighting.k_core(users, items, 2, 2)).tolist() == [0, 1, 4, 5]

    @given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), unique=True), st.integers(1, 4), st.integers(1, 4))
    def test_it_is_a_fixed_point_and_the_largest(
        self, pairs: list[tuple[int, int]], per_user: int, per_item: int
    ) -> None:
        users, items = np.array(pairs, int).reshape(-1, 2).T
        core = weighting.k_core(users, items, per_user, per_item)
        assert weighting.k_core(users[core], items[core], per_user, per_item).all()
        remaining = set(pairs)
        while few := {  # one at a time, in the order of their names
            (u, i)
            for u, i in remaining
            if sum(u == v for v, _ in remaining) < per_user or sum(i == j for _, j in remaining) < per_item
        }:
            remaining.remove(min(few))
        assert {pairs[at] for at in np.flatnonzero(core)} == remaining


class TestConfidence:
    def test_log_is_log_of_one_and_the_value(self) -> None:
        confidences = FittedRecipe(confidence="log").confidences(
            np.array([1, np.e**2 - 1], np.float32), np.zeros(2, int), np.arange(2)
        )
        assert confidences.tolist() == pytest.approx([math.log(2), 2])

    @pytest.mark.parametrize("length", ["user", "item"])
    def test_bm25_is_its_equation(self, length: str) -> None:
        matrix = np.array([[5, 0, 1], [0, 2, 2], [1, 0, 0], [4, 4, 4]], np.float32)
        users, items = np.nonzero(matrix)
        recipe = FittedRecipe(confidence="bm25", k1=1.5, b=0.6, length=length)  # type: ignore[arg-type]
        recipe = recipe.fit_pairs(matrix[users, items], users, items, 3)
        confidences = np.zeros((4, 3))
        confidences[users, items] = recipe.confidences(matrix[users, items], users, items)
        documents = matrix if length == "user" else matrix.T
        expected = np.zeros(documents.shape)
        for d, t in zip(*np.nonzero(documents), strict=True):
            having = np.count_nonzero(documents[:, t])
            idf = math.log(1 + (len(documents) - having + 0.5) / (having + 0.5))
            norm = 1 - 0.6 + 0.6 * documents[d].sum() / documents.sum(axis=1).mean()
            expected[d, t] = idf * documents[d, t] * 2.5 / (documents[d, t] + 1.5 * norm)
        np.testing.assert_allclose(confidences, expected if length == "user" else expected.T, rtol=1e-5)

    @pytest.mark.parametrize("length", ["user", "item"])
    def test_one_user_alone_gets_what_she_gets_among_all(self, length: str) -> None:
        rng = np.random.default_rng(0)
        users, items = np.nonzero(rng.random((20, 15)) < 0.4)
        values = rng.integers(1, 9, len(users)).astype(np.float32)
        recipe = FittedRecipe(confidence="bm25", length=length).fit_pairs(values, users, items, 15)  # type: ignore[arg-type]
        among, her = recipe.confidences(values, users, items), users == 7
        alone = recipe.confidences(values[her], np.zeros(her.sum(), int), items[her])
        np.testing.assert_allclose(alone, among[her], rtol=1e-6)

    @pytest.mark.parametrize("settings", [{"b": 1.0}, {"k1": 0.0}])
    def test_bm25_of_nothing_is_nothing(self, settings: dict[str, float]) -> None:
        values, users, items = np.array([0, 0, 1, 1], np.float32), np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
        recipe = FittedRecipe(confidence="bm25", **settings).fit_pairs(values, users, items, 2)  # type: ignore[arg-type]
        confidences = recipe.confidences(values, users, items)
        assert confidences[:2].tolist() == [0, 0]
        assert (confidences[2:] > 0).all()
