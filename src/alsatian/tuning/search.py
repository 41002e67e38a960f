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

from alsatian._util.parsing import finite
from alsatian.data.interactions import Interactions
from alsatian.errors import FitError, ParameterError
from alsatian.models import Model
from alsatian.split import Split
from alsatian.tuning.optuna_sampler import Proposals, library, quiet
from alsatian.tuning.search_plan import Search, planned
from alsatian.tuning.search_space import Asked
from alsatian.tuning.study import Study, Trial, ranked, said_of
from alsatian.tuning.study_file import held
from alsatian.tuning.trial import Outcome, Pruned, attempt

HOPELESS = 5  # trials that failed, before any succeeded

Became = tuple[Outcome | Exception | None, float]  # a figure, what went wrong or None (pruned), and the seconds
Told = Callable[[Sequence[Trial]], None]


def tune(
    model: Model | str,
    on: Interactions | Split,
    *,
    trials: int | None = None,
    space: Asked | None = None,
    sampler: Literal["tpe", "random", "grid"] = "tpe",
    metric: str | None = None,
    split: str = "per-user:10",
    patience: int = 5,
    prune: bool = True,
    timeout: float | None = None,
    study: str | Path | None = None,
    seed: int = 0,
    workers: int = 1,
    threads: int | None = None,
    progress: bool | None = None,
) -> Study:
    """Search the settings with which a model is best on values held out of the data.

    model: unfitted, or a name such as "implicit-als:form=rendle"; what is not at its default stays as it is.
    on: the data, which `split` parts for every trial ("per-user:10", "random:0.2", "folds:3" ...). Of a Split only what
        may be learned from is looked at, train and validation; its held-out part stays for one `evaluate` at the end.
    trials: how many in all, those of the study file included (None: 50, or all points of a grid).
    space: what to search instead of the ranges that the model's parameters declare: {"reg": (0.01, 1, "log"),
        "factors": [16, 32]}, or names whose declared ranges serve. A grid takes 4 points of a range.
    sampler: "tpe" (Bergstra et al. 2011, "Algorithms for hyper-parameter optimization", section 4) or "random", both
        beginning with the settings that the model has; or "grid".
    metric: "rmse", "ndcg@10", "map" ... (None: rmse where the model predicts values, else ndcg@10).
    patience: a fit ends after so many epochs without a better figure; one fit tries all numbers of epochs.
    prune: end a fit that is worse than the median of the others at the same epoch (never in a grid).
    timeout: seconds after which no trial is begun. study: a file that keeps the trials; the same call goes on from it.
    workers: how many trials run at a time, on threads that share the data. Figures are noted in the order of the
        trials, so seed and workers decide what is found, not the clock (unless there is a timeout).

    Ctrl-C ends the search, and what was found so far is returned; where nothing was found, KeyboardInterrupt goes on.
    Raises ParameterError, DataError, DependencyError (pip install 'alsatian[tune]'), FitError where no trial succeeds.

    >>> from alsatian import evaluate, datasets, split
    >>> parts = split.per_user(datasets.load("movielens-small"), n=10)
    >>> found = tune("item-knn", parts, trials=3)
    >>> len(found), evaluate(found.model, parts, metrics=["ndcg"], bootstrap=0)["item-knn"].metrics
    (3, {'ndcg@10': ...})
    """
    library()
    limit = math.inf if timeout is None else finite("timeout", timeout, 0)
    search = planned(
        model, on, space=space, sampler=sampler, metric=metric, split=split, patience=patience, prune=prune, seed=seed,
        workers=workers, threads=threads,
    )  # fmt: skip
    count = search.count(trials)
    file = None if study is None else Path(study)
    with quiet(), threadpool_limits(1), held(file), _progress(search, count, progress) as tell:
        proposals = search.proposals(file)
        interrupted = _run(search, proposals, count, limit, tell)
        rows = tuple(proposals.trials())
    _check_found(rows)
    return search.study(rows, interrupted)


def _run(search: Search, proposals: Proposals, count: int, limit: float, tell: Told) -> bool:
    """Make trials until there are enough; return whether Ctrl-C ended them before."""
    begun, done, runner = time.perf_counter(), proposals.trials(), _Runner(search)
    tell(done)
    try:
        while len(done) < count and time.perf_counter() - begun < limit:
            asked = [proposals.ask() for _ in range(min(search.workers, count - len(done)))]
            for trial, became in zip(asked, runner.all(asked), strict=True):
                done.append(proposals.tell(trial, *became))
            tell(done)
            if len(done) >= HOPELESS:
                _check_found(done)
    except KeyboardInterrupt:
        if not ranked(proposals.trials(), greater=search.task.metric.greater):
            raise
        return True
    return False


class _Runner:
    """Runs trials, as many at a time as it is given."""

    def __init__(self, search: Search) -> None:
        self.search, self.stop = search, threading.Event()

    def all(self, trials: Sequence[Any]) -> list[Became]:
        """Return what became of trials, in their order; Ctrl-C ends those that still run."""
        if len(trials) == 1:  # in the main thread, where Ctrl-C ends a fit at once
            return [self.one(trials[0])]
        with ThreadPoolExecutor(len(trials)) as pool:
            running = [pool.submit(self.one, trial) for trial in trials]
            try:
                return [each.result() for each in running]
            except BaseException:
                self.stop.set()
                raise

    def one(self, trial: Any) -> Became:
        """Run a trial; settings that cannot be fitted are an outcome, too."""

        def report(epoch: int, figure: float) -> None:
            trial.report(figure, epoch)
            if self.search.task.watched and trial.should_prune():
                raise Pruned

        begun, base, outcome = time.perf_counter(), self.search.model, None
        try:
            model = type(base)(**base.params | trial.params)
            outcome = attempt(model, self.search.task, report, self.stop.is_set)
            if math.isnan(outcome.figure):
                raise FitError("the figure is no number, as there is nobody to judge on; hold more out.")
        except Pruned:
            pass
        except (FitError, ParameterError) as error:
            return error, time.perf_counter() - begun
        return outcome, time.perf_counter() - begun


def _check_found(done: Sequence[Trial]) -> None:
    """Raise FitError where no trial succeeded."""
    if not done:
        raise ParameterError("the timeout was over before the first trial; allow for more.")
    if all(trial.state == "failed" for trial in done):
        raise FitError(f"none of {len(done)} trials succeeded; the first: {done[0].error}")


@contextmanager
def _progress(search: Search, count: int, shown: bool | None) -> Iterator[Told]:
    """Draw a bar on stderr (None: only on a terminal), with the best trial so far."""
    if not (sys.stderr.isatty() if shown is None else shown):
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TimeRemainingColumn())
    metric = search.task.metric
    with Progress(*columns, TextColumn("{task.fields[best]}"), console=Console(stderr=True)) as bar:
        task = bar.add_task(f"tuning {search.model.name}", total=count, best="")

        def tell(done: Sequence[Trial]) -> None:
            best = ranked(done, greater=metric.greater)[:1]
            said = [f"{metric.name} {one.value:.4f}: {said_of(one)}" for one in best]
            bar.update(task, completed=len(done), best="".join(said))

        yield tell
