"""`tune`: search for better settings of a model, by trials that run one or several at a time."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from threadpoolctl import threadpool_limits

from alsatian._util.parsing import require_finite
from alsatian._util.progress_bar import show_progress
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

MAX_FAILURES_AT_START = 5  # the search fails after this many failed trials without a success

TrialOutcome = tuple[TrialScore | Exception | None, float]  # score, error or None (pruned), and seconds
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
    """Search for the hyper-parameters that are best on held-out values, and return all trials.

    model: an unfitted model, or a name such as "implicit-als:loss=rendle". Settings that are not at their defaults stay
        fixed.
    data: Interactions, which `split` splits for the trials ("per-user:10", "random:0.2", "k-fold:3" ...). Of a Split,
        only train and validation are used, so its held-out part remains for a final `evaluate`.
    trials: the total number, including those in the study file (None: 50, or all points of a grid).
    space: the ranges to search instead of those that the model declares: {"reg": (0.01, 1, "log"),
        "factors": [16, 32]}, or names of settings with declared ranges. A grid takes 4 points of a range.
    sampler: "tpe" (Bergstra et al. 2011, "Algorithms for hyper-parameter optimization", section 4) or "random", which
        both begin with the settings of the model; or "grid".
    metric: "rmse", "ndcg@10", "map" ... (None: rmse for a model that predicts ratings, else ndcg@10).
    patience: a fit ends after this many epochs without a better score. One fit tries all numbers of epochs.
    prune: end a fit that is worse than the median of the others at the same epoch (never in a grid).
    timeout: start no new trial after this many seconds (None: no limit).
    study_file: a file that stores the trials. The same call continues from it, also after a crash.
    seed: of the splits and the sampler.
    workers: the number of trials that run at a time, in threads that share the data. Scores are recorded in the order
        of the trials, so the result depends on seed and workers, and not on timing (unless there is a timeout).
    threads: how many to use in total (None: all processors).
    progress: show a progress bar (None: only on a terminal and in a notebook).

    Ctrl-C ends the search and returns the trials so far. Without a complete trial, KeyboardInterrupt is raised.
    Raises ParameterError, DataError, DependencyError (pip install 'alsatian[tune]'), FitError if no trial succeeds.

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
    """Run trials up to `count` or the time limit. Returns whether Ctrl-C ended the search."""
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
    """Runs trials, several at a time."""

    def __init__(self, plan: SearchPlan) -> None:
        self.plan, self.stop = plan, threading.Event()

    def run_all(self, trials: Sequence[Any]) -> list[TrialOutcome]:
        """Return the outcomes of trials that run at the same time, in their order. Ctrl-C stops them."""
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
        """Return the outcome of a trial. Settings that cannot be fitted have an error as their outcome."""

        def report_epoch(epoch: int, score: float) -> None:
            trial.report(score, epoch)
            if self.plan.task.prunes and trial.should_prune():
                raise Pruned

        start, base_model, outcome = time.perf_counter(), self.plan.model, None
        try:
            model = type(base_model)(**base_model.params | trial.params)
            outcome = run_trial(model, self.plan.task, report_epoch, self.stop.is_set)
            if math.isnan(outcome.score):
                raise FitError("the score is not a number, because no held-out values can be scored; hold out more.")
        except Pruned:
            pass
        except (FitError, ParameterError) as error:
            return error, time.perf_counter() - start
        return outcome, time.perf_counter() - start


def _require_success(trials: Sequence[Trial]) -> None:
    """Raise FitError if no trial succeeded, ParameterError if there is no trial."""
    if not trials:
        raise ParameterError("the timeout ended before the first trial; pass a longer timeout.")
    if all(trial.state == "failed" for trial in trials):
        raise FitError(f"none of {len(trials)} trials succeeded; the first failed with: {trials[0].error}")


@contextmanager
def _progress_bar(plan: SearchPlan, count: int, show: bool | None) -> Iterator[OnProgress]:
    """Draw a progress bar (None: only on a terminal and in a notebook), with the best trial so far."""
    metric = plan.task.metric
    with show_progress(f"tuning {plan.model.name}", count, show) as update:

        def show_best(trials: Sequence[Trial]) -> None:
            best = rank_trials(trials, higher_is_better=metric.higher_is_better)[:1]
            update(len(trials), "".join(f"{metric.name} {t.value:.4f}: {describe_settings(t)}" for t in best))

        yield show_best
