"""What happens during a fit: epochs, stopping, callbacks, the progress bar, the training summary."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace

import numpy as np
import pytest

from alsatian.data.interactions import Interactions
from alsatian.errors import NotFitted, ParameterError
from alsatian.models import BiasedMF, ExplicitALS, ImplicitALS, Model, Popularity
from alsatian.recommender import fit_run
from alsatian.recommender.fit_run import Epoch
from support.cases import arrays, plain_answers
from support.notebook import FakeKernel

SMALL = {"factors": 2, "epochs": 6}


def test_every_epoch_is_recorded(some_ratings: Interactions) -> None:
    history = ExplicitALS(**SMALL).fit(some_ratings, progress=False).history
    assert [epoch.epoch for epoch in history] == [1, 2, 3, 4, 5, 6]
    assert math.isinf(history[0].change)
    losses = [epoch.objective for epoch in history]
    assert history[3].change == pytest.approx((losses[2] - losses[3]) / losses[3])
    assert all(a.seconds <= b.seconds for a, b in zip(history, history[1:], strict=False))


def test_tol_stops_when_the_objective_settles(some_ratings: Interactions) -> None:
    model = ExplicitALS(factors=2, epochs=500, tol=1e-3).fit(some_ratings, progress=False)
    changes = [epoch.change for epoch in model.history]
    assert len(changes) < 100
    assert changes[-1] < 1e-3 <= min(changes[:-1])


def test_without_tol_all_epochs_run(some_ratings: Interactions) -> None:
    assert len(ExplicitALS(factors=0, epochs=50).fit(some_ratings, progress=False).history) == 50


def test_a_callback_sees_each_epoch_and_may_stop(some_ratings: Interactions) -> None:
    epochs_seen: list[Epoch] = []

    def stop_at_three(epoch: Epoch) -> bool:
        epochs_seen.append(epoch)
        return epoch.epoch == 3

    model = ImplicitALS(**SMALL).fit(some_ratings, progress=False, callbacks=[stop_at_three])
    assert epochs_seen == model.history
    assert len(epochs_seen) == 3
    same = ImplicitALS(factors=2, epochs=3).fit(some_ratings, progress=False)
    assert np.array_equal(model.user_factors, same.user_factors)


def test_every_callback_is_asked_even_when_the_first_one_stops(some_ratings: Interactions) -> None:
    calls: list[int] = []
    ImplicitALS(**SMALL).fit(
        some_ratings, progress=False, callbacks=[lambda _: True, lambda epoch: calls.append(epoch.epoch)]
    )
    assert calls == [1]


def test_a_callback_gets_the_model_of_its_epoch(some_ratings: Interactions) -> None:
    """It answers like one of a shorter fit, also when the fit has gone on."""
    models: list[Model] = []
    ExplicitALS(**SMALL).fit(some_ratings, callbacks=[lambda epoch: models.append(epoch.model)])
    for epochs, model in enumerate(models, 1):
        shorter = ExplicitALS(factors=2, epochs=epochs).fit(some_ratings)
        assert arrays(model) == arrays(shorter)
        assert plain_answers(model.recommend(3)) == plain_answers(shorter.recommend(3))
        assert model.training["digest"] == some_ratings.digest
        assert [e.objective for e in model.history] == [e.objective for e in shorter.history]


def test_a_model_is_made_only_for_who_asks(some_ratings: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshots: list[object] = []
    monkeypatch.setattr(fit_run.FitRun, "_snapshot", lambda self, learned: snapshots.append(learned))
    ExplicitALS(**SMALL).fit(some_ratings, callbacks=[lambda epoch: epoch.epoch == 3 and epoch.model])
    assert len(snapshots) == 1


def test_the_history_keeps_no_models(some_ratings: Interactions) -> None:
    history = ExplicitALS(**SMALL).fit(some_ratings, callbacks=[lambda epoch: None]).history
    with pytest.raises(NotFitted, match="the model after an epoch is available to callbacks only"):
        history[0].model  # noqa: B018


def test_the_time_of_callbacks_is_not_that_of_the_fit(
    some_ratings: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(fit_run, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    def think(_: Epoch) -> None:
        now[0] += 100

    model = ExplicitALS(**SMALL).fit(some_ratings, callbacks=[think])
    assert model.training["seconds"] == 0
    assert {epoch.seconds for epoch in model.history} == {0}


def test_the_seed_decides_where_it_starts(some_ratings: Interactions) -> None:
    first, second, again = (
        ImplicitALS(**SMALL, seed=seed).fit(some_ratings, progress=False).item_factors for seed in (1, 2, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second)


def test_the_training_summary_names_the_data(some_ratings: Interactions) -> None:
    training = ExplicitALS(**SMALL).fit(some_ratings, progress=False, threads=2).training
    assert training["values"] == len(some_ratings)
    assert training["digest"] == some_ratings.digest
    assert training["threads"] == 2
    assert training["seconds"] >= 0


def test_fit_returns_the_model_itself(ratings: Interactions) -> None:
    model = Popularity()
    assert model.fit(ratings) is model


def test_a_bar_is_drawn_on_stderr_when_asked_for(
    some_ratings: Interactions, capsys: pytest.CaptureFixture[str]
) -> None:
    ExplicitALS(**SMALL).fit(some_ratings, progress=True)
    drawn = capsys.readouterr()
    assert drawn.out == ""
    assert "explicit-als" in drawn.err
    assert "objective" in drawn.err


def test_the_bar_says_what_a_callback_found(
    some_ratings: Interactions, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Judge:
        status = ""

        def __call__(self, epoch: Epoch) -> None:
            self.status = f"quality {epoch.epoch / 10}"

    monkeypatch.setenv("COLUMNS", "120")
    BiasedMF(**SMALL, validation_share=0.2, patience=6).fit(some_ratings, progress=True, callbacks=[Judge()])
    drawn = capsys.readouterr().err
    assert "quality 0.6" in drawn
    assert "validation " in drawn


def test_no_bar_is_drawn_into_a_pipe(some_ratings: Interactions, capsys: pytest.CaptureFixture[str]) -> None:
    ExplicitALS(**SMALL).fit(some_ratings)
    assert capsys.readouterr() == ("", "")


def test_a_notebook_shows_the_fit_in_one_line(some_ratings: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = FakeKernel(monkeypatch)
    model = ExplicitALS(**SMALL).fit(some_ratings)
    (line,) = kernel.final_lines
    assert re.fullmatch(rf"explicit-als 6/6 in .*, objective {model.history[-1].objective:,.6g}", line)
    ExplicitALS(**SMALL).fit(some_ratings, progress=False)
    assert len(kernel.outputs) == 1


def test_the_line_of_a_fit_that_stops_early_is_of_its_last_epoch(
    some_ratings: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = FakeKernel(monkeypatch)
    model = ExplicitALS(**SMALL).fit(some_ratings, callbacks=[lambda epoch: epoch.epoch == 3])
    (line,) = kernel.final_lines
    assert re.fullmatch(rf"explicit-als 3/6 in .*, objective {model.history[2].objective:,.6g}", line)


def test_a_model_drops_what_it_does_not_need(ratings: Interactions) -> None:
    """The times and the items' side of the data stay with the caller."""
    model = ExplicitALS(factors=2).fit(ratings)
    assert model.data.times is None
    assert "by_item" not in vars(model.data)


def test_the_checkerboard_is_learned(checkerboard: Interactions) -> None:
    """The right answer is visible: unseen items of a user's own parity are 5 and come first."""
    explicit = ExplicitALS(factors=2, reg=0.01, reg_exponent=1).fit(checkerboard, progress=False)
    likes = checkerboard.binarize(min_rating=4)
    implicit = ImplicitALS(factors=2, reg=1.0).fit(likes, progress=False)
    users, items = np.indices((40, 30)).reshape(2, -1)
    truth = np.where((users + items) % 2 == 0, 5, 1)
    np.testing.assert_allclose(explicit.predict(users, items), truth, atol=0.5)
    for user in range(40):
        unseen = {i for i in range(30) if (user + i) % 2 == 0} - set(likes.by_user.row(user)[0].tolist())
        best = implicit.recommend(user, n=max(1, len(unseen))).items
        assert not unseen or set(best) == unseen
    assert {item % 2 for item in implicit.similar(4, n=14).items} == {0}


def test_what_is_no_interactions_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"fit takes Interactions, not a dict; pass the result of al.read\(...\)"):
        ExplicitALS().fit({"user": [1]})  # type: ignore[arg-type]
