"""What a search is to do, checked before any work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alsatian import kernels
from alsatian._util.parsing import whole
from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError, nearest
from alsatian.models import Model
from alsatian.models.ensemble.model_parameters import made
from alsatian.split import Split, spec
from alsatian.tuning.optuna_sampler import SAMPLERS, Proposals
from alsatian.tuning.search_space import Asked, Choices, Space, asked, capped, declared
from alsatian.tuning.study import Study, Trial
from alsatian.tuning.trial import Task, metric_of

TRIALS = 50


@dataclass(frozen=True)
class Search:
    """What is searched, and how: see `tune`."""

    model: Model
    data: Interactions
    space: Space
    task: Task
    sampler: str
    split: str
    seed: int
    workers: int

    @property
    def sampled(self) -> Space:
        """What trials differ in: all but the number of epochs where a fit tries all of them."""
        return {name: where for name, where in self.space.items() if name != "epochs" or not self.task.epochs}

    def count(self, trials: int | None) -> int:
        """Return how many trials there are to be in all."""
        if not self.sampled:
            return 1
        if self.sampler != "grid":
            return whole("trials", TRIALS if trials is None else trials, 1)
        points = 1
        for where in self.sampled.values():
            points *= len(where.points())
        if trials is not None:
            raise ParameterError(f"trials={trials} has no effect on a grid, whose {points:,} points are all tried.")
        return points

    def proposals(self, path: Path | None) -> Proposals:
        """Begin the search, or go on with that of a study file."""
        usual = {name: self.model._setting(name) for name in self.sampled}
        first = {name: value for name, value in usual.items() if value in self.sampled[name]}
        return Proposals(
            self.sampled, self.sampler, greater=self.task.metric.greater, seed=self.seed, first=first,
            prune=self.task.watched, path=path, about=self._about,
        )  # fmt: skip

    @property
    def _about(self) -> dict[str, Any]:
        """What must be the same for a search to go on."""
        settings = {name: value for name, value in self.model.params.items() if name not in self.space}
        return {
            "model": self.model.name,
            "settings": settings,
            "space": {name: str(where) for name, where in self.space.items()},
            "metric": self.task.metric.name,
            "split": self.split,
            "data": self.data.digest[:16],
            "sampler": self.sampler,
            "seed": self.seed,
            "patience": self.task.patience,
            "prune": self.task.watched,
            "part held out": self.task.splits[0].held_out.digest[:16],  # which depends on times, too
        }

    def study(self, rows: tuple[Trial, ...], interrupted: bool) -> Study:
        metric, notes = self.task.metric, self.task.splits[0].warnings
        return Study(
            self.model, self.space, metric.name, metric.greater, self.split, self.data, rows, interrupted, notes
        )


def planned(
    model: Model | str,
    on: Interactions | Split,
    *,
    space: Asked | None,
    sampler: str,
    metric: str | None,
    split: str,
    patience: int,
    prune: bool,
    seed: int,
    workers: int,
    threads: int | None,
) -> Search:
    """Return what is to be done; raises ParameterError and DataError."""
    base = made(model)
    if sampler not in SAMPLERS:
        known = list(SAMPLERS)
        raise ParameterError(f"sampler={sampler!r} is not one of {', '.join(known)}.{nearest(sampler, known)}")
    own = max(1, kernels.usable_threads(threads) // whole("workers", workers, 1))
    chosen, patient = metric_of(base, metric), whole("patience", patience, 1)
    where = declared(base) if space is None else asked(base, space)
    if not where:
        raise ParameterError(f"{base.name} has nothing to search as it is set; say what, such as reg=(0.01, 1).")
    data, splits, name = _parts(on, split, whole("seed", seed, 0))
    if space is None:
        where = capped(where, min(len(data.user_ids), len(data.item_ids)))
    inside = "epochs" in where and base.epochs_nest
    alike = "epochs" in base.declared and (inside or "epochs" not in where)  # the same epochs mean the same
    watched = prune and sampler != "grid" and alike
    task = Task(splits, chosen, _epochs(where) if inside else (), patient, watched, own)
    return Search(base, data, where, task, sampler, name, seed, workers)


def _epochs(space: Space) -> Sequence[int]:
    """Return the numbers of epochs to choose from, ascending."""
    where = space["epochs"]
    return sorted(where.values) if isinstance(where, Choices) else range(int(where.low), int(where.high) + 1)


def _parts(on: Interactions | Split, split: str, seed: int) -> tuple[Interactions, list[Split], str]:
    """Return what may be learned from in the end, how the trials part it, and the name of that."""
    spec.parse(split)
    if isinstance(on, Split):
        if on.validation is not None:
            return on.train, [on.validation], on.validation.name
        on = on.train
    if not isinstance(on, Interactions):
        raise ParameterError(f"tune takes what al.read gives, or a split, not a {type(on).__name__}.")
    return on, spec.named(split, on, seed), split
