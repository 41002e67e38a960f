"""An index of similar items: it finds the share that it tells, and what it cannot answer is exact."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import alsatian as al
from alsatian.errors import AlsatianError, DependencyError, ParameterError, Unsupported
from alsatian.models import Model
from alsatian.models.factors.ann_index import SimilarIndex
from support import problems

Factors = al.ImplicitALS | al.PureSVD
ITEMS = 2_000


@pytest.fixture(scope="module")
def ratings() -> al.Interactions:
    return problems.random_ratings(users=200, items=ITEMS, density=0.05)


@pytest.fixture(params=[al.ImplicitALS(factors=8, epochs=3), al.PureSVD(factors=8)], ids=lambda model: model.name)
def model(request: pytest.FixtureRequest, ratings: al.Interactions) -> Factors:
    fitted: Factors = type(request.param)(**request.param.params).fit(ratings)
    return fitted


def listed(model: Model, item: Any, **options: Any) -> list[tuple[object, float]]:
    """Return what is similar to an item, and the cosines without their last digits."""
    (row,) = model.similar(item, **options).to_dicts()
    return [(place["item"], round(place["score"], 4)) for place in row["items"]]


def some_items(model: Factors, count: int = 40) -> list[Any]:
    return list(model.data.item_ids.take(np.arange(0, ITEMS, ITEMS // count)))


class TestLists:
    def test_where_all_are_to_be_found_they_are_the_exact_ones(self, model: Factors) -> None:
        exact = [listed(model, item) for item in some_items(model)]
        indexed = model.build_index(recall=1).index
        actual = [listed(model, item) for item in some_items(model)]
        assert indexed.benchmark.recall > 0.995  # half precision may swap the last with the next
        assert np.mean([approximate == other for approximate, other in zip(actual, exact, strict=True)]) > 0.9

    def test_it_finds_the_share_that_it_tells(self, model: Factors) -> None:
        items = some_items(model, 400)
        exact = [dict(listed(model, item)) for item in items]
        benchmark = model.build_index(recall=0.7).index.benchmark
        actual = [dict(listed(model, item)) for item in items]
        share = np.mean(
            [len(approximate.keys() & other.keys()) / 10 for approximate, other in zip(actual, exact, strict=True)]
        )
        assert 1 <= benchmark.probes < benchmark.cells
        assert benchmark.recall > 0.65
        assert share == pytest.approx(benchmark.recall, abs=0.05)
        for approximate, other in zip(actual, exact, strict=True):  # cosines are exact whatever is found
            both = approximate.keys() & other.keys()
            assert {item: approximate[item] for item in both} == pytest.approx(
                {item: other[item] for item in both}, abs=2e-4
            )

    def test_best_first_without_the_item_itself_even_among_twins(self, ratings: al.Interactions) -> None:
        model = al.ImplicitALS(factors=8, epochs=2).fit(ratings)
        model.item_factors = np.repeat(model.item_factors[:5], ITEMS // 5, axis=0)
        model.build_caches()
        model.build_index(recall=0.5)
        for item in some_items(model):
            actual = listed(model, item)
            assert item not in dict(actual)
            assert len(dict(actual)) == 10
            assert actual == sorted(actual, key=lambda place: -place[1])

    def test_any_of_equals_is_a_find(self, ratings: al.Interactions) -> None:
        """Items that one and the same person rated, and nobody else, have one direction."""
        model = al.ImplicitALS(factors=8, epochs=2).fit(ratings)
        model.item_factors[500:] = np.repeat(model.item_factors[:30], 50, axis=0)
        model.build_caches()
        benchmark = model.build_index(recall=0.9).index.benchmark
        assert benchmark.recall > 0.85
        assert benchmark.probes < benchmark.cells / 2

    @pytest.mark.parametrize(
        "options", [{"n": 101}, {"deny": [3]}, {"allow": list(range(50))}, {"where": "year = 1995"}], ids=str
    )
    def test_what_it_does_not_answer_is_exact(self, ratings: al.Interactions, options: dict[str, Any]) -> None:
        model = al.ImplicitALS(factors=8, epochs=3).fit(ratings)
        exact = listed(model, 5, **options)
        model.build_index(recall=0.1)
        assert listed(model, 5, **options) == exact
        assert listed(model, 5) != listed(model, 5, allow=list(range(ITEMS)))

    def test_many_at_once_are_exact(self, model: Factors) -> None:
        items = some_items(model, 9)
        exact = list(model.similar(items).to_dicts())
        model.build_index(recall=0.1)
        assert list(model.similar(items).to_dicts()) == exact

    def test_a_list_is_full_where_its_cells_hold_too_few(self, model: Factors) -> None:
        exact = [listed(model, item, n=100) for item in some_items(model)]
        model.build_index(recall=0.01)
        actual = [listed(model, item, n=100) for item in some_items(model)]
        assert {len(approximate) for approximate in actual} == {100}
        assert any(approximate == other for approximate, other in zip(actual, exact, strict=True))


class TestKeeping:
    def test_a_saved_model_keeps_it(self, model: Factors, tmp_path: Path) -> None:
        indexed = model.build_index(recall=0.8).index
        al.save(model, tmp_path / "m.model")
        loaded = al.load(tmp_path / "m.model")
        assert loaded.index is not None
        assert loaded.index.benchmark == indexed.benchmark
        assert [listed(loaded, item) for item in some_items(model)] == [
            listed(model, item) for item in some_items(model)
        ]

    def test_a_fit_drops_it(self, model: Factors, ratings: al.Interactions) -> None:
        model.build_index()
        assert model.fit(ratings).index is None

    @pytest.mark.parametrize(
        "copied", [copy.deepcopy, lambda original: pickle.loads(pickle.dumps(original))], ids=["copy", "pickle"]
    )
    def test_it_goes_where_its_model_goes(self, model: Factors, copied: Any) -> None:
        model.build_index(recall=0.8)
        other = copied(model)
        assert listed(other, 7) == listed(model, 7)
        assert other.index.benchmark == model.index.benchmark  # type: ignore[union-attr]

    @pytest.mark.parametrize(
        ("spoil", "why"),
        [
            (lambda index: index.buffer[:-100], "faiss cannot read the index"),
            (lambda index: np.zeros(500, np.uint8), "the index is damaged"),
            (lambda index: _of_lists_elsewhere(index.buffer), "the index is damaged"),
        ],
        ids=["cut", "empty", "names files"],
    )
    def test_one_that_cannot_be_read_leaves_exact_answers(
        self, model: Factors, tmp_path: Path, spoil: Callable[[Any], Any], why: str
    ) -> None:
        exact = listed(model, 7)
        index = model.build_index(recall=0.1).index
        index.buffer = spoil(index)
        al.save(model, tmp_path / "m.model")
        loaded = al.load(tmp_path / "m.model")
        with pytest.warns(UserWarning, match=f"similar items are exact, without the index of the model: .*({why})"):
            assert listed(loaded, 7) == exact
        assert listed(loaded, 7) == exact  # and it is said once

    @pytest.mark.parametrize("changed", [{"probes": 0}, {"cells": 3}, {"probes": "x"}], ids=str)
    def test_one_of_other_figures_is_not_used(self, model: Factors, changed: dict[str, Any]) -> None:
        exact = listed(model, 7)
        index = model.build_index(recall=0.1).index
        model.index = SimilarIndex(index.buffer, replace(index.benchmark, **changed), index.shape)
        with pytest.warns(UserWarning, match="similar items are exact, without the index"):
            assert listed(model, 7) == exact

    def test_without_the_library_it_is_kept_but_not_used(
        self, model: Factors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        exact = listed(model, 7)
        model.build_index(recall=0.1)
        al.save(model, tmp_path / "m.model")
        with monkeypatch.context() as without:
            without.setitem(sys.modules, "faiss", None)
            loaded = al.load(tmp_path / "m.model")
            with pytest.warns(UserWarning, match=r"needs faiss: pip install 'alsatian\[index\]'"):
                assert listed(loaded, 7) == exact
            with pytest.raises(DependencyError, match="needs faiss"):
                model.build_index()
            al.save(loaded, tmp_path / "again.model")
        again = al.load(tmp_path / "again.model").index
        assert again is not None
        assert again.faiss_index is not None

    def test_a_process_that_was_forked_answers(self, model: Factors) -> None:
        """The threads with which faiss builds are not there."""
        model.build_index(threads=2)
        child = multiprocessing.get_context("fork").Process(target=model.similar, args=(some_items(model)[:8],))
        child.start()
        child.join(60)
        ended = child.exitcode
        child.kill()
        assert ended == 0


def _of_lists_elsewhere(stored: Any) -> Any:
    """Rename the kind of the lists to the one whose data lies in a file that the index names."""
    return np.frombuffer(stored.tobytes().replace(b"ilar", b"ilod"), np.uint8)


@pytest.mark.parametrize(
    ("unfitted", "options", "error", "message"),
    [
        (
            al.PureSVD(factors=2),
            {},
            Unsupported,
            r"an index needs 1,000 items, and the model has 80; similar\(\) is exact",
        ),
        (
            al.PureSVD(factors=2),
            {"recall": 0},
            ParameterError,
            "recall=0 is not valid; pass a number above 0 and at most 1",
        ),
        (al.PureSVD(factors=2), {"recall": 95}, ParameterError, "recall=95 is not valid"),
        (al.PureSVD(factors=2), {"recall": "x"}, ParameterError, "recall='x' is not valid"),
        (
            al.ItemKNN(),
            {},
            Unsupported,
            r"build_index\(\) is not supported by item-knn. Models that support it: explicit-als, implicit-als",
        ),
    ],
)
def test_refused(unfitted: al.PureSVD, options: dict[str, float], error: type[AlsatianError], message: str) -> None:
    with pytest.raises(error, match=message):
        unfitted.fit(problems.random_ratings()).build_index(**options)
