"""Fallback: who answers for whom, and what fills a list up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError, Unsupported
from alsatian.models import ExplicitALS, Fallback, ImplicitALS, Popularity
from alsatian.persistence.save_load import load, save
from alsatian.recommender.topn import Mask, TopN
from alsatian.recommender.user_batch import UserBatch
from support.cases import plain_answers

BIASES = ExplicitALS(factors=0, reg=0)


def test_the_first_answers_for_whom_it_knows_well_enough(ratings: Interactions) -> None:
    """Bob has four values, alice, carol and dave three each."""
    model = Fallback(first=BIASES, then=Popularity(), min_history=4).fit(ratings, progress=False)
    answer = model.recommend(["bob", "dave"], exclude_seen=False)
    assert {row.source for row in answer[0]} == {"als"}
    assert {row.source for row in answer[1]} == {"popular"}
    assert plain_answers(answer[0]) == plain_answers(
        BIASES.fit(ratings, progress=False).recommend("bob", exclude_seen=False)
    )
    assert plain_answers(answer[1]) == plain_answers(Popularity().fit(ratings).recommend("dave", exclude_seen=False))
    assert [line["items"][0]["source"] for line in answer.to_dicts()] == ["als", "popular"]


def test_so_for_visitors(ratings: Interactions) -> None:
    model = Fallback(first=BIASES, then="popularity", min_history=2).fit(ratings, progress=False)
    assert {row.source for row in model.fold_in(["up"]).recommend()} == {"popular"}
    assert {row.source for row in model.fold_in(["up", "iron"]).recommend(novelty=0.5)} == {"als"}


class Narrow(Popularity):
    """Knows the first two items only."""

    source_label = "narrow"

    def rank(self, batch: UserBatch, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> TopN:
        two = np.arange(5) < 2
        return super().rank(batch, n, exclude_seen, two if allowed is None else two & allowed, threads)


def test_the_second_fills_up_what_the_first_leaves(ratings: Interactions) -> None:
    """Narrow lists Cars and Heat, with three users and two; then come Iron Man and Iron Man 2 (three) and Up (two)."""
    model = Fallback(first=Narrow(), then=Popularity()).fit(ratings)
    answer = model.recommend("alice", n=4, exclude_seen=False)
    assert answer.items == ["cars", "heat", "iron", "iron2"]
    assert [row.source for row in answer] == ["narrow", "narrow", "popular", "popular"]
    assert model.recommend("alice", n=2, exclude_seen=False).items == ["cars", "heat"]
    assert model.recommend("alice").items == ["heat", "iron2"], "unseen ones, each once"
    newest = model.recommend("alice", n=4, exclude_seen=False, novelty=1)
    assert {row.item: row.source for row in newest} == {
        "heat": "narrow", "up": "popular", "cars": "narrow", "iron": "popular"
    }  # fmt: skip


def test_predictions_are_those_of_the_list(ratings: Interactions) -> None:
    model = Fallback(first=ExplicitALS(factors=2), then=BIASES, min_history=4).fit(ratings, progress=False)
    first, then = (part.fit(ratings, progress=False) for part in (ExplicitALS(factors=2), BIASES))
    predicted = model.predict(["bob", "dave"], ["iron", "up"])
    np.testing.assert_allclose(predicted, [first.predict("bob", "iron")[0], then.predict("dave", "up")[0]])
    assert model.explain("dave", "up") == then.explain("dave", "up")
    with pytest.raises(
        Unsupported, match=r"predict\(\) is not supported by popularity\. Models that support it: explicit-als"
    ):
        Fallback(first=BIASES).fit(ratings, progress=False).predict("bob", "iron")


def test_a_file_keeps_both(ratings: Interactions, tmp_path: Path) -> None:
    model = Fallback(first=BIASES, min_history=4).fit(ratings, progress=False)
    save(model, tmp_path / "a.model")
    loaded = load(tmp_path / "a.model")
    assert repr(loaded) == repr(model) == f"Fallback(first={BIASES}, then=Popularity(), min_history=4)"
    assert list(loaded.recommend()) == list(model.recommend())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"first": 5}, "5 is not a model; pass models such as ImplicitALS(), or their names."),
        ({"then": "popular"}, "there is no model 'popular'; choose explicit-als, "),
        ({"then": "popular"}, "Did you mean 'popularity'?"),
        ({"min_history": 0}, "min_history=0 is too small; the minimum is 1."),
        ({"members": []}, "It belongs to blend."),
    ],
)
def test_a_bad_setting_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        Fallback(**settings)
    assert message in str(caught.value)


def test_settings_are_read_from_a_command_line() -> None:
    assert repr(Fallback.param("first").parse("first", "implicit-als:factors=8")) == repr(ImplicitALS(factors=8))
