"""A search that was cut short keeps what it found, and goes on as if nothing had happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError
from alsatian.tuning import search as searching
from alsatian.tuning import study_file, tune
from support.searches import SMALL_SPACE, SPLIT, trials_without_seconds

Press = Callable[[int], None]


@pytest.fixture
def press(monkeypatch: pytest.MonkeyPatch) -> Press:
    """Press Ctrl-C during the trial after so many."""
    real = searching.run_trial

    def after(count: int) -> None:
        begun: list[int] = []

        def attempt(*arguments: Any) -> Any:
            begun.append(1)
            if len(begun) > count:
                raise KeyboardInterrupt
            return real(*arguments)

        monkeypatch.setattr(searching, "run_trial", attempt)

    return after


def search(data: Interactions, trials: int, **options: Any) -> Any:
    return tune("explicit-als", data, trials=trials, **{"space": SMALL_SPACE, "split": SPLIT} | options)


def test_going_on_is_as_if_uninterrupted(some_ratings: Interactions, tmp_path: Path) -> None:
    file = tmp_path / "a.study"
    for trials in (1, 4, 14):
        parts = search(some_ratings, trials, study_file=file)
    assert trials_without_seconds(parts) == trials_without_seconds(search(some_ratings, 14))
    assert trials_without_seconds(search(some_ratings, 2, study_file=file)) == trials_without_seconds(
        parts
    )  # enough is there


def test_ctrl_c_keeps_the_best_so_far(some_ratings: Interactions, tmp_path: Path, press: Press) -> None:
    file = tmp_path / "a.study"
    whole = search(some_ratings, 12)
    press(5)
    cut = search(some_ratings, 12, study_file=file)
    assert cut.interrupted
    assert not whole.interrupted
    assert trials_without_seconds(cut) == trials_without_seconds(whole)[:5]
    assert cut.best.value == min(trial.value for trial in cut)
    press(100)
    again = search(some_ratings, 12, study_file=file)
    assert not again.interrupted
    assert trials_without_seconds(again) == trials_without_seconds(whole)


def test_ctrl_c_with_workers_ends_the_others(some_ratings: Interactions, press: Press) -> None:
    press(3)
    study = search(some_ratings, 20, workers=2)
    assert study.interrupted
    assert len(study) == 2  # of two that run side by side, none is noted unless both are over


def test_ctrl_c_before_anything_is_found(some_ratings: Interactions, press: Press) -> None:
    press(0)
    with pytest.raises(KeyboardInterrupt):
        search(some_ratings, 3)


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        ({"metric": "mae"}, "is a search with metric rmse, not mae; pass the same arguments, or another"),
        ({"seed": 3}, "is a search with seed 0, not 3"),
        ({"split": "random:0.3"}, "is a search with split random:0.2, not random:0.3"),
        ({"space": {"reg": (0.1, 1.0)}}, "is a search with settings"),
        ({"sampler": "random"}, "is a search with sampler tpe, not random"),
    ],
)
def test_a_file_of_another_search(
    some_ratings: Interactions, tmp_path: Path, other: dict[str, Any], complaint: str
) -> None:
    file = tmp_path / "a.study"
    search(some_ratings, 1, study_file=file)
    with pytest.raises(ParameterError) as caught:
        search(some_ratings, 2, study_file=file, **other)
    assert complaint in str(caught.value)


def test_other_data(some_ratings: Interactions, checkerboard: Interactions, tmp_path: Path) -> None:
    file = tmp_path / "a.study"
    search(some_ratings, 1, study_file=file)
    with pytest.raises(ParameterError, match="is a search with data"):
        search(checkerboard, 1, study_file=file)


def test_a_search_that_was_killed_goes_on(some_ratings: Interactions, tmp_path: Path) -> None:
    """However it ended: without letting go of its file, or in the middle of a line."""
    file = tmp_path / "a.study"
    search(some_ratings, 4, study_file=file)
    file.with_name("a.study.lock").symlink_to("a.study")
    file.write_bytes(file.read_bytes()[:-40])
    assert trials_without_seconds(search(some_ratings, 4, study_file=file)) == trials_without_seconds(
        search(some_ratings, 4)
    )


def test_a_damaged_file(some_ratings: Interactions, tmp_path: Path) -> None:
    file = tmp_path / "a.study"
    search(some_ratings, 2, study_file=file)
    first, _, *others = file.read_text().splitlines(keepends=True)
    file.write_text("".join([first, "nonsense\n", *others]))
    with pytest.raises(ParameterError, match=r"a\.study is damaged \(Expecting value.*\); pass another study file"):
        search(some_ratings, 3, study_file=file)


def test_one_search_at_a_time(some_ratings: Interactions, tmp_path: Path) -> None:
    file = tmp_path / "a.study"
    with (
        study_file.lock_study_file(file),
        pytest.raises(ParameterError, match=r"another search is using .*a\.study; wait until it"),
    ):
        search(some_ratings, 1, study_file=file)
    search(some_ratings, 1, study_file=file)


def test_other_times(some_ratings: Interactions, tmp_path: Path) -> None:
    file, by_time = tmp_path / "a.study", {"split": "by-time:0.2"}
    search(some_ratings, 1, study_file=file, **by_time)
    assert some_ratings.times is not None
    other = replace(some_ratings, times=some_ratings.times[::-1].copy())
    with pytest.raises(ParameterError, match="is a search with part held out"):
        search(other, 2, study_file=file, **by_time)


@pytest.mark.parametrize("content", ["userId,movieId\n", "[1]\n", '{"a": 1}\n', "\x00\n"])
def test_a_file_that_is_no_study_stays_as_it_is(some_ratings: Interactions, tmp_path: Path, content: str) -> None:
    file = tmp_path / "ratings.csv"
    file.write_text(content)
    with pytest.raises(ParameterError, match=r"ratings\.csv is not a study file"):
        search(some_ratings, 1, study_file=file)
    assert file.read_text() == content
    with pytest.raises(ParameterError, match="there is no folder"):
        search(some_ratings, 1, study_file=tmp_path / "none" / "a.study")


def test_optuna_reads_the_file(some_ratings: Interactions, tmp_path: Path) -> None:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    study = search(some_ratings, 3, study_file=tmp_path / "a.study")
    storage = JournalStorage(JournalFileBackend(str(tmp_path / "a.study")))
    (summary,) = optuna.get_all_study_summaries(storage)
    assert summary.best_trial is not None
    assert summary.best_trial.value == study.best.value
