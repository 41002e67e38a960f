"""The plan of a search, validated before any trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alsatian import kernels
from alsatian._util.parsing import require_int
from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError, did_you_mean
from alsatian.models import Model
from alsatian.models.ensemble.model_parameters import as_model
from alsatian.split import Split, spec
from alsatian.tuning.optuna_sampler import SAMPLERS, OptunaSampler
from alsatian.tuning.search_space import Choices, SearchSpec, Space, default_space, limit_factors, parse_space
from alsatian.tuning.study import Study, Trial
from alsatian.tuning.trial import TrialTask, parse_tuning_metric

DEFAULT_TRIALS = 50


@dataclass(frozen=True)
class SearchPlan:
    """The model, data, space and task of a search, from the validated arguments of `tune`."""

    model: Model
    data: Interactions
    space: Space
    task: TrialTask
    sampler: str
    split: str
    seed: int
    workers: int

    @property
    def sampled_space(self) -> Space:
        """The settings that a sampler proposes: the space, without epochs if one fit tries every number of epochs."""
        return {
            name: search_range for name, search_range in self.space.items() if name != "epochs" or not self.task.epochs
        }

    def trial_count(self, trials: int | None) -> int:
        """Return the total number of trials. Raises ParameterError if `trials` is set for a grid."""
        if not self.sampled_space:
            return 1
        if self.sampler != "grid":
            return require_int("trials", DEFAULT_TRIALS if trials is None else trials, 1)
        points = 1
        for search_range in self.sampled_space.values():
            points *= len(search_range.points())
        if trials is not None:
            raise ParameterError(f"trials={trials} has no effect: a grid tries all {points:,} points; drop trials.")
        return points

    def make_sampler(self, path: Path | None) -> OptunaSampler:
        """Return the sampler of a new search, or one continued from a study file. Raises ParameterError."""
        defaults = {name: self.model.effective_value(name) for name in self.sampled_space}
        first_settings = {name: value for name, value in defaults.items() if value in self.sampled_space[name]}
        return OptunaSampler(
            self.sampled_space, self.sampler, higher_is_better=self.task.metric.higher_is_better, seed=self.seed,
            first_settings=first_settings, prune=self.task.prunes, path=path, fingerprint=self._fingerprint,
        )  # fmt: skip

    @property
    def _fingerprint(self) -> dict[str, Any]:
        """The description of a search, which must be equal for a study file to be continued."""
        settings = {name: value for name, value in self.model.params.items() if name not in self.space}
        return {
            "model": self.model.name,
            "settings": settings,
            "space": {name: str(search_range) for name, search_range in self.space.items()},
            "metric": self.task.metric.name,
            "split": self.split,
            "data": self.data.digest[:16],
            "sampler": self.sampler,
            "seed": self.seed,
            "patience": self.task.patience,
            "prune": self.task.prunes,
            "part held out": self.task.splits[0].held_out.digest[:16],  # depends on times, too
        }

    def make_study(self, rows: tuple[Trial, ...], interrupted: bool) -> Study:
        """Return the result of the search. interrupted: whether Ctrl-C ended it."""
        metric, notes = self.task.metric, self.task.splits[0].warnings
        return Study(
            self.model,
            self.space,
            metric.name,
            metric.higher_is_better,
            self.split,
            self.data,
            rows,
            interrupted,
            notes,
        )


def plan_search(
    model: Model | str,
    data: Interactions | Split,
    *,
    space: SearchSpec | None,
    sampler: str,
    metric: str | None,
    split: str,
    patience: int,
    prune: bool,
    seed: int,
    workers: int,
    threads: int | None,
) -> SearchPlan:
    """Validate the arguments of `tune` and return the plan. Raises ParameterError, DataError."""
    base_model = as_model(model)
    if sampler not in SAMPLERS:
        names = list(SAMPLERS)
        raise ParameterError(f"sampler={sampler!r} is not one of {', '.join(names)}.{did_you_mean(sampler, names)}")
    fit_threads = max(1, kernels.usable_threads(threads) // require_int("workers", workers, 1))
    tuning_metric, checked_patience = parse_tuning_metric(base_model, metric), require_int("patience", patience, 1)
    search_ranges = default_space(base_model) if space is None else parse_space(base_model, space)
    if not search_ranges:
        parameters = ", ".join(base_model.hyperparameters)
        raise ParameterError(
            f"{base_model.name} has no hyper-parameter to search by default; pass space= with ranges or lists for "
            f"some of its own: {parameters}."
        )
    train, splits, split_label = _data_and_splits(data, split, require_int("seed", seed, 0))
    if space is None:
        search_ranges = limit_factors(search_ranges, min(len(train.user_ids), len(train.item_ids)))
    epochs_within_fit = "epochs" in search_ranges and base_model.epochs_are_nested
    # Trials can be compared at the same epoch only if they do not fit for different numbers of epochs.
    epochs_comparable = "epochs" in base_model.hyperparameters and (epochs_within_fit or "epochs" not in search_ranges)
    prunes = prune and sampler != "grid" and epochs_comparable
    task = TrialTask(
        splits,
        tuning_metric,
        _epoch_choices(search_ranges) if epochs_within_fit else (),
        checked_patience,
        prunes,
        fit_threads,
    )
    return SearchPlan(base_model, train, search_ranges, task, sampler, split_label, seed, workers)


def _epoch_choices(space: Space) -> Sequence[int]:
    """Return the candidate numbers of epochs, ascending."""
    search_range = space["epochs"]
    return (
        sorted(search_range.values)
        if isinstance(search_range, Choices)
        else range(int(search_range.low), int(search_range.high) + 1)
    )


def _data_and_splits(data: Interactions | Split, split: str, seed: int) -> tuple[Interactions, list[Split], str]:
    """Return the data of the final fit, its splits for the trials, and the name of the split."""
    spec.parse_spec(split)
    if isinstance(data, Split):
        if data.validation is not None:
            return data.train, [data.validation], data.validation.name
        data = data.train
    if not isinstance(data, Interactions):
        raise ParameterError(f"tune takes Interactions or a Split, not {type(data).__name__}; pass al.read(...).")
    return data, spec.from_spec(split, data, seed), split
