"""Which settings to try next, and the study file: with importance.py the one place that knows Optuna.

The search itself is in memory; the file, an Optuna journal, gets each trial when it is over, whole. So a search that
was cut short left nothing unfinished in it, and as the sampler of a trial is seeded by the trial's number, a search
that goes on proposes what an uninterrupted one would have proposed.
"""

from __future__ import annotations

import itertools
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from alsatian._util.dataframes import package
from alsatian.errors import ParameterError
from alsatian.tuning.search_space import Choices, Range, Space
from alsatian.tuning.study import Trial
from alsatian.tuning.trial import Outcome

SAMPLERS = ("tpe", "random", "grid")
BEFORE_PRUNING, WARM_UP, ALIKE = 8, 3, 4  # trials, epochs, and trials that came as far
NAME = ABOUT = "alsatian"  # of the study in a file; where it says what it is a search of


def library() -> Any:
    """Return Optuna; raises DependencyError where it is not installed."""
    return package("optuna", "pip install 'alsatian[tune]'")


@contextmanager
def quiet() -> Iterator[None]:
    """Let Optuna say nothing of its own accord meanwhile."""
    optuna = library()
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


class Proposals:
    """A search: asked for settings, and told what became of them.

    first: the settings of the first trial, unless the search is a grid. about: what must be the same for a search to go
    on with a study file.
    """

    def __init__(
        self,
        space: Space,
        sampler: str,
        *,
        greater: bool,
        seed: int,
        first: Mapping[str, Any],
        prune: bool,
        path: Path | None,
        about: Mapping[str, Any],
    ) -> None:
        self.optuna = library()
        self.space, self.sampler, self.seed, self.first = space, sampler, seed, dict(first)
        self.distributions = {name: distribution(where, sampler == "grid") for name, where in space.items()}
        pruners = self.optuna.pruners
        median = pruners.MedianPruner(BEFORE_PRUNING, WARM_UP, n_min_trials=ALIKE)
        self.direction = "maximize" if greater else "minimize"
        self.study = self.optuna.create_study(direction=self.direction, pruner=median if prune else pruners.NopPruner())
        self.file = None if path is None else self._opened(path, about)
        if self.file is not None:
            self.study.add_trials(self.file.trials)

    @property
    def points(self) -> list[tuple[Any, ...]]:
        """The points of a grid, the last setting changing fastest; one, where there is nothing to search."""
        return list(itertools.product(*(where.points() for where in self.space.values())))

    def ask(self) -> Any:
        """Return an Optuna trial, whose `params` are to be tried."""
        number = len(self.study.trials)
        if self.sampler == "grid":
            self.study.enqueue_trial(dict(zip(self.space, self.points[number], strict=True)))
        elif number == 0:
            self.study.enqueue_trial(self.first)
        self.study.sampler = self._sampler(number)
        return self.study.ask(self.distributions)

    def tell(self, trial: Any, outcome: Outcome | Exception | None, seconds: float) -> Trial:
        """Note what became of a trial: a figure, the error that ended it, or None where it was pruned."""
        states = self.optuna.trial.TrialState
        trial.set_user_attr("seconds", seconds)
        if isinstance(outcome, Outcome):
            trial.set_user_attr("epochs", outcome.epochs)
            told = self.study.tell(trial, outcome.figure)
        elif outcome is None:
            told = self.study.tell(trial, state=states.PRUNED)
        else:
            trial.set_user_attr("error", str(outcome))
            told = self.study.tell(trial, state=states.FAIL)
        if self.file is not None:
            self.file.add_trial(told)
        return trial_of(told)

    def trials(self) -> list[Trial]:
        """Return the trials that are over."""
        return [trial_of(trial) for trial in self.study.trials if trial.state.is_finished()]

    def _sampler(self, number: int) -> Any:
        seed = int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0])
        samplers = self.optuna.samplers
        return samplers.TPESampler(seed=seed) if self.sampler == "tpe" else samplers.RandomSampler(seed=seed)

    def _opened(self, path: Path, about: Mapping[str, Any]) -> Any:
        """Open a study file, or begin one; raises ParameterError for one of another search."""
        file = self.optuna.create_study(
            storage=journal(path), study_name=NAME, direction=self.direction, load_if_exists=True
        )
        known = file.user_attrs.get(ABOUT)
        if known is None:
            file.set_user_attr(ABOUT, about)
        elif different := [name for name, value in about.items() if known.get(name) != value]:
            name = different[0]
            raise ParameterError(
                f"{path} holds a search with {name} {known.get(name)}, not {about[name]}; ask for the same again, or "
                "pass another study file."
            )
        return file


def distribution(where: Range | Choices, grid: bool = False) -> Any:
    """Return what Optuna calls a place to search; of a grid a few points."""
    distributions = library().distributions
    if grid or isinstance(where, Choices):
        return distributions.CategoricalDistribution(where.points())
    kind = distributions.IntDistribution if where.whole else distributions.FloatDistribution
    return kind(where.low, where.high, log=where.scale == "log")


def journal(path: Path) -> Any:
    """Return a study file as Optuna's storage; raises ParameterError for a damaged one."""
    storages = library().storages
    backend = storages.journal.JournalFileBackend(str(path), lock_obj=threading.Lock())  # see `held`
    try:
        return storages.JournalStorage(backend)
    except ValueError as error:
        raise ParameterError(f"{path} is damaged ({error}); pass another study file.") from None


def trial_of(told: Any) -> Trial:
    """Return what Optuna remembers of a trial."""
    state = {"COMPLETE": "complete", "PRUNED": "pruned"}.get(told.state.name, "failed")
    notes, settings = told.user_attrs, dict(told.params)
    if notes.get("epochs") is not None:
        settings["epochs"] = notes["epochs"]
    value = told.value if state != "failed" else None
    return Trial(
        told.number, state, value, settings, dict(told.intermediate_values), notes["seconds"], notes.get("error")
    )
