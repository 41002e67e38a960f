"""One run of a fit: threads, the progress bar and callbacks, which are not part of the model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from alsatian import kernels
from alsatian._util.progress_bar import is_progress_visible, show_progress
from alsatian.data.interactions import Interactions
from alsatian.errors import NotFitted


class Fittable(Protocol):
    """The part of a model that a run uses: its settings, and a method that sets the learned arrays."""

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
    """One pass over the data, as passed to callbacks and stored in `model.history`."""

    epoch: int  # from 1
    objective: float  # the exact value of the model's loss, regularization included
    change: float  # of the objective, relative to the epoch before (infinite for the first)
    seconds: float  # of fitting so far, without those of callbacks
    validation: float | None = None  # RMSE on values held out during the fit, if any
    snapshot: Callable[[], Any] | None = field(default=None, repr=False, compare=False)  # set for callbacks only

    @cached_property
    def model(self) -> Any:
        """The `Model` after this epoch, a fitted copy that is made on first access.

        Only callbacks have it: raises NotFitted for an epoch of `model.history`.
        """
        if self.snapshot is None:
            raise NotFitted(
                "the model after an epoch is available to callbacks only; pass a callback to fit(callbacks=[...])."
            )
        return self.snapshot()

    def to_json(self) -> dict[str, Any]:
        """Return the epoch as the JSON object that a model file stores."""
        fields = asdict(self) | {"change": self.change if self.epoch > 1 else None}
        del fields["snapshot"]
        return fields

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Epoch:
        """Return an epoch from `to_json`."""
        return cls(**fields | {"change": float("inf") if fields["change"] is None else fields["change"]})


Callback = Callable[[Epoch], bool | None]  # True stops the fit; a `status` is shown in the bar


class FitRun:
    """One run of an iterative fit: yields epochs, draws the bar, calls the callbacks, and decides when to stop."""

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
        self.progress = is_progress_visible(progress)
        self.callbacks = tuple(callbacks)
        self.history: list[Epoch] = []
        self.start_time = time.perf_counter()

    def for_member(self, member: Fittable) -> FitRun:
        """Return a run for a member of an ensemble, with the data, threads, progress and callbacks of this run."""
        return FitRun(member, self.data, self.threads, self.progress, self.callbacks)

    @property
    def seconds(self) -> float:
        """The seconds since the start of the fit, without those of callbacks."""
        return time.perf_counter() - self.start_time

    @property
    def summary(self) -> dict[str, Any]:
        """The summary of the fit that a model and its file store."""
        fields = {"values": len(self.data), "digest": self.data.digest, "threads": self.threads}
        return fields | {"seconds": self.seconds}

    def epochs(self, count: int, title: str) -> Iterator[int]:
        """Yield the numbers of the remaining epochs, up to count. Call `finish` at the end of each."""
        finished = len(self.history)
        with show_progress(title, count - finished, self.progress) as update:
            for epoch in range(finished + 1, count + 1):
                try:
                    yield epoch
                finally:  # also where this epoch is the last one because the fit stops early
                    if len(self.history) == epoch:
                        update(epoch - finished, self._progress_text())

    def finish(self, objective: float, tol: float, get_state: StateGetter, validation: float | None = None) -> bool:
        """Record an epoch. Return True if its relative change is below `tol`, or if a callback returned True."""
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
        """Return the text of the progress bar for the last epoch."""
        epoch = self.history[-1]
        texts = [f"objective {epoch.objective:,.6g}"]
        if epoch.validation is not None:
            texts.append(f"validation {epoch.validation:.4f}")
        texts += [str(getattr(callback, "status", "")) for callback in self.callbacks]
        return ", ".join(filter(None, texts))

    def replace_last_objective(self, objective: float) -> None:
        """Replace the objective of the last epoch, after the final step of a fit."""
        self.history.pop()
        self.history.append(self._epoch(objective))
