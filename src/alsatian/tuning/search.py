"""tune: trial after trial, or several at a time, towards better settings of a model."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from threadpoolctl import threadpool_limits

from alsatian._util.parsing import require_finite
from alsatian.data.interactions import Interactions
from alsatian.errors import FitError, ParameterError
from alsatian.models import Model
from alsatian.split import Split
from alsatian.tuning.optuna_sampler import OptunaSampler, import_optuna, silence_optuna
from alsatian.tuning.search_plan import SearchPlan, plan_search
from alsatian.tuning.search_space import SearchSpec
from alsatian.tuning.study import Study, Trial, describe_settings, rank_trials
from alsatian.tuning.study_file import lock_study_file
from alsatian.tuning.trial import Pruned, TrialScore, run_trial

MAX_FAILURES_AT_START = 5  # trials that failed, before any succeeded

TrialOutcome = tuple[
    TrialScore | Exception | None, float
]  # a figure, what went wrong or None (pruned), and the seconds
OnProgress = Callable[[Sequence[Trial]], None]


def tune(
    model: Model | str,
    data: Interactions | Split,
    *,
    trials: int | None = None,
    space: SearchSpec | None = None,
    sampler: Literal["tpe", "random", "grid"] = "tpe",
    metric: str | None = None,
    split: str = "per-user:10",
    patience: int = 5,
    prune: bool = True,
    timeout: float | None = None,
    study_file: str | Path | None = None,
    seed: int = 0,
    workers: int = 1,
    threads: int | None = None,
    progress: bool | None = None,
) -> Study:
    """Search for the hyper-parameters with which a model is best on held-out values.

    model: unfitted, or a name such as "implicit-als:loss=rendle"; what is not at its default stays as it is.
    data: Interactions, which `split` splits for the trials ("per-user:10", "random:0.2", "k-fold:3" ...). Of a Split,
        only train and validation are used; its held-out part stays for a final `evaluate`.
    trials: their number, those of the study file included (None: 50, or all points of a grid).
    space: what to search instead of the ranges that the model declares: {"reg": (0.01, 1, "log"),
        "factors": [16, 32]}, or names of settings with declared ranges. A grid takes 4 points of a range.
    sampler: "tpe" (Bergstra et al. 2011, "Algorithms for hyper-parameter optimization", section 4) or "random", both
        beginning with the settings that the model has; or "grid".
    metric: "rmse", "ndcg@10", "map" ... (None: rmse where the model predicts values, else ndcg@10).
    patience: a fit ends after this many epochs without a better score; one fit tries all numbers of epochs.
    prune: end a fit that is worse than the median of the others at the same epoch (never in a grid).
    timeout: start no new trial after this many seconds.
    study_file: a file that keeps the trials; the same call continues from it, also after a crash.
    workers: the number of trials that run at a time, on threads that share the data. Scores are recorded in the order
        of the trials, so the result depends on seed and workers, not on timing (unless there is a timeout).

    Ctrl-C ends the search and returns the trials so far; without a finished trial, KeyboardInterrupt is raised.
    Raises ParameterError, DataError, DependencyError (pip install 'alsatian[tune]'), FitError where no trial succeeds.

    >>> from alsatian import evaluate, datasets, split
    >>> parts = split.per_user(datasets.load("movielens-small"), n=10)
    >>> study = tune("item-knn", parts, trials=3)
    >>> len(study), evaluate(study.model, parts, metrics=["ndcg"], bootstrap=0)["item-knn"].metrics
    (3, {'ndcg@10': ...})
    """
    import_optuna()
    limit = math.inf if timeout is None else require_finite("timeout", timeout, 0)
    plan = plan_search(
        model, data, space=space, sampler=sampler, metric=metric, split=split, patience=patience, prune=prune,
        seed=seed, workers=workers, threads=threads,
    )  # fmt: skip
    count = plan.trial_count(trials)
    path = None if study_file is None else Path(study_file)
    with (
        silence_optuna(),
        threadpool_limits(1),
        lock_study_file(path),
        _progress_bar(plan, count, progress) as on_progress,
    ):
        optuna_sampler = plan.make_sampler(path)
        interrupted = _run_trials(plan, optuna_sampler, count, limit, on_progress)
        rows = tuple(optuna_sampler.trials())
    _require_success(rows)
    return plan.make_study(rows, interrupted)


def _run_trials(
    plan: SearchPlan, optuna_sampler: OptunaSampler, count: int, limit: float, on_progress: OnProgress
) -> bool:
    """Make trials until there are enough; return whether Ctrl-C ended them before."""
    start, trials, runner = time.perf_counter(), optuna_sampler.trials(), _TrialRunner(plan)
    on_progress(trials)
    try:
        while len(trials) < count and time.perf_counter() - start < limit:
            batch = [optuna_sampler.ask() for _ in range(min(plan.workers, count - len(trials)))]
            for trial, outcome in zip(batch, runner.run_all(batch), strict=True):
                trials.append(optuna_sampler.tell(trial, *outcome))
            on_progress(trials)
            if len(trials) >= MAX_FAILURES_AT_START:
                _require_success(trials)
    except KeyboardInterrupt:
        if not rank_trials(optuna_sampler.trials(), higher_is_better=plan.task.metric.higher_is_better):
            raise
        return True
    return False


class _TrialRunner:
    """Runs trials, as many at a time as it is given."""

    def __init__(self, plan: SearchPlan) -> None:
        self.plan, self.stop = plan, threading.Event()

    def run_all(self, trials: Sequence[Any]) -> list[TrialOutcome]:
        """Return what became of trials, in their order; Ctrl-C ends those that still run."""
        if len(trials) == 1:  # in the main thread, where Ctrl-C ends a fit at once
            return [self.run(trials[0])]
        with ThreadPoolExecutor(len(trials)) as pool:
            futures = [pool.submit(self.run, trial) for trial in trials]
            try:
                return [future.result() for future in futures]
            except BaseException:
                self.stop.set()
                raise

    def run(self, trial: Any) -> TrialOutcome:
        """Run a trial; settings that cannot be fitted are an outcome, too."""

        def report_epoch(epoch: int, score: float) -> None:
            trial.report(score, epoch)
            if self.plan.task.prunes and trial.should_prune():
                raise Pruned

        start, base_model, outcome = time.perf_counter(), self.plan.model, None
        try:
            model = type(base_model)(**base_model.params | trial.params)
            outcome = run_trial(model, self.plan.task, report_epoch, self.stop.is_set)
            if math.isnan(outcome.score):
                raise FitError("the figure is no number, as there is nobody to judge on; hold more out.")
        except Pruned:
            pass
        except (FitError, ParameterError) as error:
            return error, time.perf_counter() - start
        return outcome, time.perf_counter() - start


def _require_success(trials: Sequence[Trial]) -> None:
    """Raise FitError where no trial succeeded."""
    if not trials:
        raise ParameterError("the timeout was over before the first trial; allow for more.")
    if all(trial.state == "failed" for trial in trials):
        raise FitError(f"none of {len(trials)} trials succeeded; the first: {trials[0].error}")


@contextmanager
def _progress_bar(plan: SearchPlan, count: int, show: bool | None) -> Iterator[OnProgress]:
    """Draw a bar on stderr (None: only on a terminal), with the best trial so far."""
    if not (sys.stderr.isatty() if show is None else show):
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TimeRemainingColumn())
    metric = plan.task.metric
    with Progress(*columns, TextColumn("{task.fields[best]}"), console=Console(stderr=True)) as bar:
        bar_task = bar.add_task(f"tuning {plan.model.name}", total=count, best="")

        def update(trials: Sequence[Trial]) -> None:
            best = rank_trials(trials, higher_is_better=metric.higher_is_better)[:1]
            best_texts = [f"{metric.name} {trial.value:.4f}: {describe_settings(trial)}" for trial in best]
            bar.update(bar_task, completed=len(trials), best="".join(best_texts))

        yield update
