"""What belongs to one run of a fit and not to the model: threads, the progress bar, callbacks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from alsatian import kernels
from alsatian.data.interactions import Interactions
from alsatian.errors import NotFitted


class Fittable(Protocol):
    """What a run needs of a model: its settings, and a way to set what was learned."""

    @property
    def params(self) -> dict[str, Any]:
        """The hyper-parameters with their values."""

    def set_state(
        self, data: Interactions, state: Mapping[str, Any], history: list[Epoch], training: dict[str, Any]
    ) -> None:
        """Set the learned arrays by name."""


StateGetter = Callable[[], Mapping[str, Any]]  # returns the learned arrays by name, as a fit would if it ended now


@dataclass(frozen=True)
class Epoch:
    """One pass over the data, as given to callbacks and kept in `model.history`."""

    epoch: int  # from 1
    objective: float  # the exact value of the model's loss, regularization included
    change: float  # relative to the epoch before (infinite for the first)
    seconds: float  # of fitting so far, without those of callbacks
    validation: float | None = None  # root mean squared error on values held out of the fit, where it holds some out
    snapshot: Callable[[], Any] | None = field(default=None, repr=False, compare=False)  # only what callbacks get

    @cached_property
    def model(self) -> Any:
        """The `Model` as this epoch leaves it, for callbacks: a fitted copy, made at its first use. Raises NotFitted
        for an epoch of `model.history`, which keeps no model.
        """
        if self.snapshot is None:
            raise NotFitted("the model after an epoch is there for callbacks only; pass them to fit(callbacks=[...]).")
        return self.snapshot()

    def to_json(self) -> dict[str, Any]:
        """Return the epoch as the model file keeps it, in JSON."""
        fields = asdict(self) | {"change": self.change if self.epoch > 1 else None}
        del fields["snapshot"]
        return fields

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Epoch:
        """Return an epoch from `to_json`."""
        return cls(**fields | {"change": float("inf") if fields["change"] is None else fields["change"]})


Callback = Callable[[Epoch], bool | None]  # True ends the fit after this epoch; its `status`, if any, is in the bar


class FitRun:
    """One run of an iterative fit: yields epochs, draws the bar, asks the callbacks, decides when to stop."""

    def __init__(
        self,
        model: Fittable,
        data: Interactions,
        threads: int | None = None,
        progress: bool | None = False,
        callbacks: Iterable[Callback] = (),
    ) -> None:
        self.model, self.data = model, data
        self.threads = kernels.usable_threads(threads)
        self.progress = sys.stderr.isatty() if progress is None else progress
        self.callbacks = tuple(callbacks)
        self.history: list[Epoch] = []
        self.start_time = time.perf_counter()

    def for_member(self, member: Fittable) -> FitRun:
        """Return the run of a model that is fitted as part of this one."""
        return FitRun(member, self.data, self.threads, self.progress, self.callbacks)

    @property
    def seconds(self) -> float:
        """The seconds since the start of the fit, without those of callbacks."""
        return time.perf_counter() - self.start_time

    @property
    def summary(self) -> dict[str, Any]:
        """What a model and its file tell of the fit."""
        fields = {"values": len(self.data), "digest": self.data.digest, "threads": self.threads}
        return fields | {"seconds": self.seconds}

    def epochs(self, count: int, title: str) -> Iterator[int]:
        """Yield the numbers up to count of epochs still to make; each must call `finish` before the next."""
        finished = len(self.history)
        with _ProgressBar(title, count - finished, self.progress) as advance:
            for epoch in range(finished + 1, count + 1):
                yield epoch
                advance(self._progress_text())

    def finish(self, objective: float, tol: float, get_state: StateGetter, validation: float | None = None) -> bool:
        """Record an epoch; return True when the objective has settled or a callback asks to stop."""
        epoch = self._epoch(objective, validation)
        self.history.append(epoch)
        public_epoch = replace(epoch, snapshot=lambda: self._snapshot(get_state()))
        pause_start = time.perf_counter()
        stop_requests = [callback(public_epoch) for callback in self.callbacks]
        self.start_time += time.perf_counter() - pause_start
        return any(stop_requests) or epoch.change < tol

    def _epoch(self, objective: float, validation: float | None = None) -> Epoch:
        previous = self.history[-1].objective if self.history else float("inf")
        change = abs(previous - objective) / max(abs(objective), 1e-300)
        return Epoch(len(self.history) + 1, objective, change, self.seconds, validation)

    def _snapshot(self, state: Mapping[str, Any]) -> Fittable:
        copies = {name: None if array is None else np.array(array) for name, array in state.items()}
        model = type(self.model)(**self.model.params)
        model.set_state(self.data, copies, list(self.history), self.summary)
        return model

    def _progress_text(self) -> str:
        """What the bar says of the last epoch."""
        epoch = self.history[-1]
        texts = [f"objective {epoch.objective:,.6g}"]
        if epoch.validation is not None:
            texts.append(f"validation {epoch.validation:.4f}")
        texts += [str(getattr(callback, "status", "")) for callback in self.callbacks]
        return ", ".join(filter(None, texts))

    def replace_last_objective(self, objective: float) -> None:
        """Replace the last epoch's objective, after what a fit does once at its end."""
        self.history.pop()
        self.history.append(self._epoch(objective))


class _ProgressBar:
    """A rich progress bar on stderr, or nothing."""

    def __init__(self, title: str, total: int, visible: bool) -> None:
        self.title, self.total, self.visible = title, total, visible

    def __enter__(self) -> Callable[[str], None]:
        if not self.visible:
            return lambda _: None
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TimeRemainingColumn())
        self.bar = Progress(*columns, TextColumn("{task.fields[live]}"), console=Console(stderr=True))
        task = self.bar.add_task(self.title, total=self.total, live="")
        self.bar.start()
        return lambda text: self.bar.update(task, advance=1, live=text)

    def __exit__(self, *_: object) -> None:
        if self.visible:
            self.bar.stop()
