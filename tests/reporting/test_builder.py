"""What a report says, and what it refuses."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import alsatian
from alsatian.data.interactions import Interactions
from alsatian.errors import DependencyError, ParameterError, UnknownItem, UnknownUser
from alsatian.evaluation import evaluate
from alsatian.models import Blend, ItemKNN
from alsatian.posters import Posters
from alsatian.reporting import Report, model_tables, report, sample_lists
from alsatian.reporting.data_section import count_rows, data_overview
from alsatian.reporting.popularity_bias import group_by_popularity
from alsatian.split import Split, holdout
from alsatian.tuning import tune
from support import problems

pytestmark = pytest.mark.xdist_group("report")  # one report for all

QUICK: dict[str, Any] = {"metrics": ["ndcg"], "bootstrap": 20}


@pytest.fixture
def drawn(tmp_path: Path) -> Posters:
    return Posters("", folder=tmp_path)


class TestReport:
    def test_the_table_is_that_of_evaluate(self, films: Interactions, drawn: Posters) -> None:
        result = report("item-knn", films, posters=drawn, min_rating=4, **QUICK)
        plain = evaluate("item-knn", holdout.split_per_user(films, 10, 0), min_rating=4, **QUICK)
        assert [row.metrics for row in result.evaluation] == [row.metrics for row in plain]
        assert "Learning curves" not in result.html
        assert "Search" not in result.html

    def test_both_tables_tell_the_same_novelty(self, films: Interactions, drawn: Posters) -> None:
        result = report("item-knn", films, posters=drawn, min_rating=4, metrics=["ndcg", "novelty"], bootstrap=0)
        novelty = result.evaluation["item-knn"].metrics["novelty@10"]
        assert f">{novelty:.2f}<" in result.html[result.html.index('id="popularity"') :]

    def test_the_same_again(self, films: Interactions, drawn: Posters) -> None:
        def page(threads: int) -> str:
            html = report("implicit-als:factors=2", films, posters=drawn, threads=threads, **QUICK).html
            return html[: html.index('id="models"')] + html[html.index('id="curves"') : html.index('id="reproduction"')]

        assert page(1) == page(2)

    def test_it_names_the_best_of_a_search_and_whether_that_was_fair(
        self, written_report: tuple[Report, Path], films: Interactions, search: Any, drawn: Posters
    ) -> None:
        labels = [row.model for row in written_report[0].evaluation]
        assert sum(label.startswith("explicit-als(") for label in labels) == 2
        assert "too optimistic" not in written_report[0].html
        assert "Importance of settings" in written_report[0].html
        other = holdout.split_per_user(films, 10, seed=9)
        assert "too optimistic" in report("item-knn", films, split=other, study=search, posters=drawn, **QUICK).html

    def test_a_search_on_one_of_several_folds_saw_what_others_hold_out(
        self, films: Interactions, drawn: Posters
    ) -> None:
        folds = holdout.split_folds(films, 2)
        study = tune("item-knn", folds[0].train, space={"k": [5, 10]}, trials=2, split="random:0.2")
        result = report("item-knn", films, split=folds, study=study, posters=drawn, **QUICK).html
        assert "too optimistic" in result
        assert "the table above is not" not in result
        assert "--test SPLIT" not in result  # which has no folds
        assert "only in the held-out part of some fold" in result

    def test_combinations_have_no_learning_curves(self, films: Interactions, drawn: Posters) -> None:
        blend = Blend(members=["implicit-als:factors=2", "item-knn"])
        html = report(blend, films, posters=drawn, **QUICK).html
        assert "Learning curves" not in html
        written = unescape(html[html.index("    [") + 5 : html.index("], data,\n")])
        assert eval(written, {"al": alsatian}).params == blend.params

    def test_no_model_is_the_best_by_what_is_no_accuracy(self, films: Interactions, drawn: Posters) -> None:
        html = report("item-knn", films, metrics=["coverage"], bootstrap=0, posters=drawn).html
        assert "No verdict: it needs two models" in html

    def test_without_draws_there_are_no_intervals(self, films: Interactions, drawn: Posters) -> None:
        html = report("item-knn", films, metrics=["ndcg"], bootstrap=0, posters=drawn).html
        assert re.search(r"<title>item-knn: 0\.\d{4}</title>", html)

    def test_several_protocols_and_people_who_are_folded_in(self, films: Interactions, drawn: Posters) -> None:
        splits = [*holdout.split_folds(films, 2), holdout.split_random(films, 0.2)]
        html = report("item-knn", films, split=splits, posters=drawn, **QUICK).html
        assert "protocol, 2 folds" in html
        assert "NDCG@10 on random:0.2" in html
        html = report("item-knn", films, split="new-users:0.2", posters=drawn, **QUICK).html
        assert "folded in for held-out users" in html

    def test_without_a_model_titles_or_times(self, films: Interactions, drawn: Posters) -> None:
        bare = replace(films, catalog=type(films.catalog)(), times=None)
        result = report(None, bare, posters=drawn, **QUICK)
        assert result.evaluation.rows[0].model == "implicit-als"  # as there is no column of values
        assert "Values by time" not in result.html

    @pytest.mark.parametrize("last", [10**15, 253402300799], ids=["beyond any calendar", "the end of 9999"])
    def test_times_that_are_none(self, films: Interactions, drawn: Posters, last: int) -> None:
        times = np.linspace(0, last, len(films)).astype(np.int64)
        assert "Values by time" not in report("item-knn", replace(films, times=times), posters=drawn, **QUICK).html

    @pytest.mark.parametrize("all_new", [False, True])
    def test_what_nobody_could_recommend_is_no_measure_of_popularity(
        self, films: Interactions, drawn: Posters, all_new: bool
    ) -> None:
        """Of what is held out, items that are not learned from are told and left out."""
        new, held = films.items % 9 == 0, np.random.default_rng(0).random(len(films)) < 0.1
        held = new if all_new else new | held
        html = report("item-knn", films, split=Split("mine", films.where(~held), films.where(held)), posters=drawn,
                      **QUICK).html  # fmt: skip
        assert f"{100 * new.sum() / held.sum():.1f}% of the held-out values, are left out here" in html
        assert "nan" not in html[html.index('id="popularity"') : html.index('id="samples"')]

    def test_very_few_values(self, drawn: Posters) -> None:
        data = problems.from_matrix(np.array([[1, 2], [3, 4]]))
        html = report("implicit-als:factors=1", data, split="per-user:1", posters=drawn, **QUICK).html
        assert "Learning curves" not in html

    def test_a_failure_leaves_an_older_page_alone(
        self, written_report: tuple[Report, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "old.html").write_text("older")
        monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
        with pytest.raises(OSError, match="full"):
            written_report[0].save(tmp_path / "old.html")
        assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("old.html", "older")]

    @pytest.mark.parametrize(
        ("arguments", "error", "words"),
        [
            ({"models": "item-nn"}, ParameterError, "there is no model 'item-nn'"),
            ({"split": "per-user:x"}, ParameterError, "'x' is not a valid n of per-user"),
            ({"metrics": ["ndgc"]}, ParameterError, "'ndgc' is not a metric"),
            ({"baseline": "ease"}, ParameterError, "is not one of the models"),
            ({"users": [10_000]}, UnknownUser, "no user 10000"),
            ({"items": ["Nowhere"]}, UnknownItem, "no item 'Nowhere'"),
            ({"study": "nowhere.study"}, ParameterError, "nowhere.study is not a study file"),
        ],
    )
    def test_refused_before_any_fit(
        self, films: Interactions, monkeypatch: pytest.MonkeyPatch, arguments: Any, error: Any, words: str
    ) -> None:
        monkeypatch.setattr(ItemKNN, "fit_state", lambda *_: pytest.fail("something was fitted"))
        with pytest.raises(error, match=words):
            report(**{"models": "item-knn", "data": films} | arguments)

    @pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
    def test_the_extra_is_named(self, films: Interactions, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(DependencyError, match=rf"needs {package}.*pip install 'alsatian\[report\]'"):
            report(None, films)


class TestParts:
    def test_groups_have_about_equally_many_values(self, films: Interactions) -> None:
        result = group_by_popularity(films.item_counts, 5)
        shares = result.shares(films.items)
        assert result.sizes == sorted(result.sizes)
        assert sum(result.sizes) == len(films.item_ids)
        assert np.abs(shares - 0.2).max() < 0.05

    def test_rows_add_up(self, films: Interactions) -> None:
        counts = replace(films.report, read=10, skipped={"no user": 1, "left out by where": 1}, combined=1)
        rows = dict(count_rows(counts))
        assert rows["kept"] == 7
        assert rows["left out: by where"] == 1
        assert sum(rows.values()) == 2 * rows["read"]

    def test_the_facts_are_those_of_inspect(self, films: Interactions) -> None:
        result = data_overview(films)
        assert result["tiles"][1][0] == "120 users"
        assert 0 < result["unequal"]["items"] < 1

    def test_people_of_different_activity(self, films: Interactions) -> None:
        split = holdout.split_per_user(films, 5)
        shown = sample_lists.choose_users(split, None)
        activity = split.train.by_user.counts[shown]
        assert len(shown) == 3
        assert activity.tolist() == sorted(activity)
        assert sample_lists.choose_users(split, 7).tolist() == [7]

    def test_items_of_different_popularity(self, films: Interactions) -> None:
        counts = films.item_counts[sample_lists.choose_items(films, None)]
        assert counts.tolist() == sorted(counts, reverse=True)

    def test_a_verdict_that_is_not_sure(self, films: Interactions) -> None:
        results = evaluate("item-knn", films, metrics=["ndcg", "rmse"], bootstrap=50)
        (table,) = model_tables.tables_by_protocol(results)
        (verdict,) = (entry for entry in table["verdicts"] if "lists" in entry["what"])
        assert verdict["figure"].startswith("NDCG@10 0.")
        best = [row["model"] for row in table["rows"] if row["cells"][1] and row["cells"][1]["best"]]
        assert best == [verdict["model"]]
        names = sorted(("item-knn", "popularity", "bias"), key=lambda name: -results[name].metrics["ndcg@10"])
        follows = f"; next is {names[1]} with " in verdict["than"]
        assert follows == ("popularity" not in names[:2])  # who is compared with the best is not told twice
