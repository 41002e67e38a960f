"""Sample settings and store trials with Optuna, which only this module and importance.py use.

The search is in memory. Each trial is written to the study file, an Optuna journal, when it is finished. A search that
was interrupted therefore leaves no unfinished trial. The sampler of a trial is seeded by the number of the trial, so a
continued search proposes the same settings as an uninterrupted one.
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

from alsatian._util.dataframes import import_package
from alsatian.errors import ParameterError
from alsatian.persistence import format_1
from alsatian.tuning.search_space import Choices, Range, Space
from alsatian.tuning.study import Trial
from alsatian.tuning.trial import TrialScore

SAMPLERS = ("tpe", "random", "grid")
MIN_TRIALS_BEFORE_PRUNING, WARM_UP_EPOCHS, MIN_TRIALS_AT_EPOCH = 8, 3, 4  # the last: trials that reached the epoch
STUDY_NAME = FINGERPRINT_KEY = "alsatian"  # the name of the study in a file, and the key of its description


def import_optuna() -> Any:
    """Return Optuna. Raises DependencyError if it is not installed."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "IProgress not found")  # of tqdm, in a notebook without ipywidgets
        return import_package("optuna", "pip install 'alsatian[tune]'")


@contextmanager
def silence_optuna() -> Iterator[None]:
    """Silence the log and the experimental warnings of Optuna in this context."""
    optuna = import_optuna()
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)


class OptunaSampler:
    """A search in Optuna's ask-and-tell interface, stored in a study file if there is one.

    first_settings: the settings of the first trial, unless the sampler is a grid.
    fingerprint: the description of the search, which must equal that of the study file.
    """

    def __init__(
        self,
        space: Space,
        sampler: str,
        *,
        higher_is_better: bool,
        seed: int,
        first_settings: Mapping[str, Any],
        prune: bool,
        path: Path | None,
        fingerprint: Mapping[str, Any],
    ) -> None:
        self.optuna = import_optuna()
        self.space, self.sampler, self.seed, self.first_settings = space, sampler, seed, dict(first_settings)
        self.distributions = {
            name: to_distribution(search_range, sampler == "grid") for name, search_range in space.items()
        }
        pruners = self.optuna.pruners
        median_pruner = pruners.MedianPruner(
            MIN_TRIALS_BEFORE_PRUNING, WARM_UP_EPOCHS, n_min_trials=MIN_TRIALS_AT_EPOCH
        )
        self.direction = "maximize" if higher_is_better else "minimize"
        self.study = self.optuna.create_study(
            direction=self.direction, pruner=median_pruner if prune else pruners.NopPruner()
        )
        self.stored_study = None if path is None else self._open_study_file(path, fingerprint)
        if self.stored_study is not None:
            self.study.add_trials(self.stored_study.trials)

    @property
    def grid_points(self) -> list[tuple[Any, ...]]:
        """The points of a grid, with the last setting changing fastest; a single point if there is no setting."""
        return list(itertools.product(*(search_range.points() for search_range in self.space.values())))

    def ask(self) -> Any:
        """Return a new Optuna trial; its `params` are the settings to try."""
        number = len(self.study.trials)
        if self.sampler == "grid":
            self.study.enqueue_trial(dict(zip(self.space, self.grid_points[number], strict=True)))
        elif number == 0:
            self.study.enqueue_trial(self.first_settings)
        self.study.sampler = self._make_sampler(number)
        return self.study.ask(self.distributions)

    def tell(self, trial: Any, outcome: TrialScore | Exception | None, seconds: float) -> Trial:
        """Record the outcome of a trial: its score, the error that ended it, or None if it was pruned."""
        states = self.optuna.trial.TrialState
        trial.set_user_attr("seconds", seconds)
        if isinstance(outcome, TrialScore):
            trial.set_user_attr("epochs", outcome.epochs)
            frozen_trial = self.study.tell(trial, outcome.score)
        elif outcome is None:
            frozen_trial = self.study.tell(trial, state=states.PRUNED)
        else:
            trial.set_user_attr("error", str(outcome))
            frozen_trial = self.study.tell(trial, state=states.FAIL)
        if self.stored_study is not None:
            self.stored_study.add_trial(frozen_trial)
        return to_trial(frozen_trial)

    def trials(self) -> list[Trial]:
        """Return the finished trials, in order."""
        return [to_trial(trial) for trial in self.study.trials if trial.state.is_finished()]

    def _make_sampler(self, number: int) -> Any:
        seed = int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0])
        samplers = self.optuna.samplers
        return samplers.TPESampler(seed=seed) if self.sampler == "tpe" else samplers.RandomSampler(seed=seed)

    def _open_study_file(self, path: Path, fingerprint: Mapping[str, Any]) -> Any:
        """Open or create a study file. Raises ParameterError for a file of another search."""
        stored_study = self.optuna.create_study(
            storage=open_journal(path), study_name=STUDY_NAME, direction=self.direction, load_if_exists=True
        )
        stored_fingerprint = stored_study.user_attrs.get(FINGERPRINT_KEY)
        if stored_fingerprint is None:
            stored_study.set_user_attr(FINGERPRINT_KEY, fingerprint)
        elif format_1.translate_search(stored_fingerprint) != stored_fingerprint:
            raise ParameterError(
                f"{path} cannot be continued: it is from an older version of alsatian, whose settings had other names; "
                "pass another study file."
            )
        elif different := [name for name, value in fingerprint.items() if stored_fingerprint.get(name) != value]:
            name = different[0]
            raise ParameterError(
                f"{path} is a search with {name} {stored_fingerprint.get(name)}, not {fingerprint[name]}; "
                "pass the same arguments, or another study file."
            )
        return stored_study


def to_distribution(search_range: Range | Choices, grid: bool = False) -> Any:
    """Return a range or choices as an Optuna distribution; for a grid, a few points of it."""
    distributions = import_optuna().distributions
    if grid or isinstance(search_range, Choices):
        return distributions.CategoricalDistribution(search_range.points())
    distribution_class = distributions.IntDistribution if search_range.is_integer else distributions.FloatDistribution
    return distribution_class(search_range.low, search_range.high, log=search_range.scale == "log")


def open_journal(path: Path) -> Any:
    """Return the Optuna storage of a study file. Raises ParameterError if it is damaged."""
    storages = import_optuna().storages
    backend = storages.journal.JournalFileBackend(str(path), lock_obj=threading.Lock())  # see `lock_study_file`
    try:
        return storages.JournalStorage(backend)
    except ValueError as error:
        raise ParameterError(f"{path} is damaged ({error}); pass another study file.") from None


def to_trial(frozen_trial: Any) -> Trial:
    """Return an Optuna trial as a Trial."""
    state = {"COMPLETE": "complete", "PRUNED": "pruned"}.get(frozen_trial.state.name, "failed")
    attributes, settings = frozen_trial.user_attrs, dict(frozen_trial.params)
    if attributes.get("epochs") is not None:
        settings["epochs"] = attributes["epochs"]
    value = frozen_trial.value if state != "failed" else None
    return Trial(
        frozen_trial.number,
        state,
        value,
        settings,
        dict(frozen_trial.intermediate_values),
        attributes["seconds"],
        attributes.get("error"),
    )
