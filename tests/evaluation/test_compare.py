"""evaluate: models side by side, with intervals that know whom they are about."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable

import numpy as np
import pytest

from alsatian import evaluation
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, NotFitted, ParameterError
from alsatian.evaluation import bootstrap, evaluate
from alsatian.models import ExplicitALS, ItemKNN
from alsatian.split import holdout
from support.notebook import HtmlTable, assert_agrees_with_text

FEW = {"bootstrap": 50, "threads": 1}


def figures(rows: Iterable[evaluation.results.EvaluationRow]) -> list[object]:
    """Everything but seconds and memory."""
    left_out = ("fit_seconds", "answer_seconds", "memory")
    return [{key: value for key, value in row.to_dict().items() if key not in left_out} for row in rows]


class TestFitted:
    def test_one_that_learned_the_training_part_is_taken_as_it_is(self, some_ratings: Interactions) -> None:
        parts = holdout.split_per_user(some_ratings, 3)
        model = ItemKNN().fit(parts.train)
        model.similarities = model.similarities * 0  # type: ignore[attr-defined]
        before = figures(evaluate(ItemKNN(), parts, metrics="ndcg", **FEW))
        assert figures(evaluate(model, parts, metrics="ndcg", **FEW))[0] != before[0]

    def test_one_that_may_have_seen_the_answers_is_refused(self, some_ratings: Interactions) -> None:
        model = ItemKNN().fit(some_ratings)
        with pytest.raises(DataError, match=r"not fitted on the training part of per-user:3; fit it on split\.train"):
            evaluate(model, holdout.split_per_user(some_ratings, 3))

    def test_several_splits_take_unfitted_ones(self, some_ratings: Interactions) -> None:
        folds = holdout.split_folds(some_ratings, 2)
        with pytest.raises(ParameterError, match="this item-knn model is fitted, and there are 2 splits; pass an unf"):
            evaluate(ItemKNN().fit(folds[0].train), folds)

    def test_the_given_model_stays_unfitted(self, some_ratings: Interactions) -> None:
        model = ItemKNN()
        evaluate(model, some_ratings, metrics="ndcg", **FEW)
        with pytest.raises(NotFitted):
            model.recommend(1)


class TestSameBits:
    def test_at_any_number_of_threads(self, some_ratings: Interactions) -> None:
        models = [ExplicitALS(factors=4), ItemKNN()]
        first, second = (evaluate(models, some_ratings, bootstrap=50, threads=threads) for threads in (1, 2))
        assert figures(first) == figures(second)

    def test_whatever_other_models_are_in_the_table(self, some_ratings: Interactions) -> None:
        alone, beside = (
            evaluate(models, some_ratings, **FEW)["item-knn"] for models in ("item-knn", ["ease", "item-knn"])
        )
        assert alone.intervals == beside.intervals
        assert alone.differences["ndcg@10"][:3] == beside.differences["ndcg@10"][:3]


class TestBootstrap:
    def test_sums_are_those_of_users_drawn_again(self) -> None:
        columns = np.random.default_rng(1).random((7, 3))
        rng = np.random.default_rng(5)
        expected = [columns[rng.integers(7, size=7)].sum(axis=0) for _ in range(20)]
        np.testing.assert_allclose(bootstrap.weighted_sums(columns, 20, 5), expected)

    def test_the_interval_of_a_mean_is_about_two_standard_errors(self) -> None:
        scores = np.random.default_rng(0).random(2000)
        columns = np.stack([scores, np.ones(2000)], 1)
        sums = bootstrap.weighted_sums(columns, 2000, 0)
        low, high = bootstrap.percentile_interval(sums[:, 0] / sums[:, 1])
        error = 1.96 * scores.std() / math.sqrt(2000)
        assert low == pytest.approx(scores.mean() - error, abs=0.1 * error)
        assert high == pytest.approx(scores.mean() + error, abs=0.1 * error)

    def test_no_difference_is_no_evidence(self) -> None:
        assert bootstrap.p_value(np.zeros(100)) == 1
        assert bootstrap.p_value(np.ones(1999)) == 2 / 2000
        assert bootstrap.p_value(np.full(100, np.nan)) == 1

    def test_users_are_drawn_whole(self, some_ratings: Interactions) -> None:
        """Two users, one all right, one all wrong: a draw has either, both or none."""
        parts = holdout.split_per_user(some_ratings, 3)
        evaluated = evaluate([], parts, metrics="rmse", bootstrap=2000, threads=1)["bias"]
        sums = evaluated.per_user["rmse"] ** 2 * parts.held_out.by_user.counts
        rng = np.random.default_rng(0)
        users = np.flatnonzero(parts.held_out.by_user.counts)
        drawn = [users[rng.integers(len(users), size=len(users))] for _ in range(2000)]
        roots = [math.sqrt(sums[u].sum() / parts.held_out.by_user.counts[u].sum()) for u in drawn]
        assert evaluated.intervals["rmse"] == pytest.approx(np.quantile(roots, [0.025, 0.975]))

    def test_without_draws_there_are_no_intervals(self, some_ratings: Interactions) -> None:
        evaluated = evaluate([], some_ratings, bootstrap=0)
        assert all(not row.intervals and not row.differences for row in evaluated)
        assert "[" not in str(evaluated)


class TestTable:
    def test_popularity_and_baseline_are_always_there(self, some_ratings: Interactions) -> None:
        assert [row.model for row in evaluate("ease", some_ratings, **FEW)] == ["ease", "popularity", "bias"]
        likes = some_ratings.binarize(4)
        assert [row.model for row in evaluate("popularity", likes, **FEW)] == ["popularity"]

    def test_differences_are_from_the_reference_or_the_baseline(self, some_ratings: Interactions) -> None:
        evaluated = evaluate([ExplicitALS(factors=4), "item-knn"], some_ratings, baseline="item-knn", **FEW)
        differences = evaluated["explicit-als"].differences
        assert differences["ndcg@10"].against == "item-knn"
        assert differences["rmse"].against == "bias"
        gap = evaluated["explicit-als"].metrics["ndcg@10"] - evaluated["item-knn"].metrics["ndcg@10"]
        assert differences["ndcg@10"].value == pytest.approx(gap)
        assert differences["ndcg@10"].low <= gap <= differences["ndcg@10"].high
        assert not evaluated["item-knn"].differences.keys() & {"ndcg@10"}

    def test_models_of_one_name_are_told_apart_by_their_settings(self, some_ratings: Interactions) -> None:
        evaluated = evaluate([ItemKNN(), ItemKNN(k=5), "item-knn:k=7"], some_ratings, metrics="ndcg", **FEW)
        assert [row.model for row in evaluated][:3] == ["item-knn", "item-knn(k=5)", "item-knn(k=7)"]
        with pytest.raises(ParameterError, match=r"item-knn\(k=5\) is listed twice; remove one"):
            evaluate([ItemKNN(k=5), "item-knn:k=5"], some_ratings)

    def test_json_holds_all_but_single_users(self, some_ratings: Interactions) -> None:
        evaluated = evaluate("item-knn", some_ratings, metrics=("rmse", "ndcg@3"), **FEW)
        record = json.loads(evaluated.to_json())
        row = record["rows"][0]
        assert (row["model"], list(row["metrics"])) == ("item-knn", ["ndcg@3"])
        assert row["differences"]["ndcg@3"].keys() == {"value", "low", "high", "p", "against"}
        assert record["splits"][0]["split"] == "per-user:10"
        assert record["baseline"] == "popularity"

    def test_a_frame_has_a_column_for_each_figure(self, some_ratings: Interactions) -> None:
        evaluated = evaluate("item-knn", some_ratings, metrics=("rmse", "ndcg"), **FEW)
        frame = evaluated.to_pandas().set_index("model")
        assert frame.loc["item-knn", "ndcg@10"] == evaluated["item-knn"].metrics["ndcg@10"]
        assert np.isnan(frame.loc["item-knn", "rmse"])
        assert {"ndcg@10 low", "ndcg@10 p", "rmse high", "fit_seconds"} <= set(frame)
        assert (
            evaluated.to_polars().columns == evaluated.to_arrow().column_names == ["split", "model", *list(frame)[1:]]
        )

    def test_a_measure_that_nobody_has(self, some_ratings: Interactions) -> None:
        """Lists of one have no pairs: there is no figure, and no evidence of a difference."""
        evaluated = evaluate("item-knn", some_ratings, at=1, metrics=("diversity", "ndcg"), **FEW)
        assert math.isnan(evaluated["item-knn"].metrics["diversity@1"])
        assert evaluated["item-knn"].differences["diversity@1"].p == 1
        assert json.loads(evaluated.to_json())["rows"][0]["metrics"].keys() == {"ndcg@1"}

    def test_it_prints(self, some_ratings: Interactions) -> None:
        text = str(evaluate("item-knn", some_ratings, metrics=("rmse", "ndcg"), **FEW))
        assert text.startswith("per-user:10: 776 held-out values of 119 users\nmodel ")
        assert "[95% intervals by 50 draws of users]" in text
        assert "held-out values are older than the newest training value" in text

    def test_a_notebook_shows_what_is_printed(self, some_ratings: Interactions) -> None:
        evaluated = evaluate("item-knn", some_ratings, metrics=("rmse", "ndcg"), **FEW)
        assert_agrees_with_text(evaluated)
        assert HtmlTable(evaluated).number_columns == {"fit", "answers", "memory"}  # beside a figure is its interval
        plain = evaluate([], some_ratings, metrics=("ndcg",), bootstrap=0)
        assert_agrees_with_text(plain)
        assert HtmlTable(plain).number_columns == {"ndcg@10", "fit", "answers", "memory"}

    def test_a_model_that_is_not_there(self, some_ratings: Interactions) -> None:
        with pytest.raises(DataError, match="'ease' is not a model of this evaluation; choose popularity, bias"):
            evaluate([], some_ratings, **FEW)["ease"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"baseline": "ease"}, "baseline='ease' is not one of the models; choose item-knn, popularity, bias"),
        ({"metrics": ["ndgc"]}, r"'ndgc' is not a metric; choose rmse, .* Did you mean 'ndcg'\?"),
        ({"metrics": ["ndcg@x"]}, r"'ndcg@x' has no valid list length; pass a name such as ndcg@10"),
        ({"metrics": []}, r"metrics=\[\] is empty; pass metrics, such as \['ndcg'\]"),
        ({"models": 3}, "3 is not a model; pass models such as"),
        ({"at": (0,)}, "at=0 is too small; the minimum is 1"),
        ({"at": ()}, r"at=\(\) is empty; pass a list length, such as at=\(10,\)"),
        ({"bootstrap": -1}, "bootstrap=-1 is too small; the minimum is 0"),
        (
            {"data": "ratings.csv"},
            r"evaluate takes a split, several splits, or data, not 'ratings.csv'; pass a split, such as al\.split",
        ),
        ({"models": ["item-nn"]}, r"there is no model 'item-nn'; .*Did you mean 'item-knn'\?"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(
    some_ratings: Interactions, arguments: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ParameterError, match=complaint):
        evaluate(**{"models": "item-knn", "data": some_ratings} | arguments)  # type: ignore[arg-type]
