"""What belongs to one run of a fit and not to the model: threads, the progress bar, callbacks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from alsatian import kernels


@dataclass(frozen=True)
class Epoch:
    """One pass over the data, as given to callbacks and kept in `model.history`."""

    epoch: int  # from 1
    objective: float  # the exact value of the model's loss, regularization included
    change: float  # relative to the epoch before (infinite for the first)
    seconds: float  # since the fit began
    validation: float | None = None  # root mean squared error on values held out of the fit, where it holds some out

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"change": self.change if self.epoch > 1 else None}

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> Epoch:
        return cls(**saved | {"change": float("inf") if saved["change"] is None else saved["change"]})


Callback = Callable[[Epoch], bool | None]  # True ends the fit after this epoch


class Run:
    """One run of an iterative fit: yields epochs, draws the bar, asks the callbacks, decides when to stop."""

    def __init__(self, threads: int | None, progress: bool | None, callbacks: Iterable[Callback]) -> None:
        self.threads = kernels.usable_threads(threads)
        self.progress = sys.stderr.isatty() if progress is None else progress
        self.callbacks = tuple(callbacks)
        self.history: list[Epoch] = []
        self.begun = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.begun

    def epochs(self, count: int, title: str) -> Iterator[int]:
        """Yield 1..count while the fit is not done; each epoch must call `finish` before the next."""
        with _bar(title, count, self.progress) as advance:
            for epoch in range(1, count + 1):
                yield epoch
                advance(self.history[-1])

    def finish(self, objective: float, tol: float, validation: float | None = None) -> bool:
        """Record an epoch; return True when the objective has settled or a callback asks to stop."""
        epoch = self._epoch(objective, validation)
        self.history.append(epoch)
        asked = [callback(epoch) for callback in self.callbacks]
        return any(asked) or epoch.change < tol

    def _epoch(self, objective: float, validation: float | None = None) -> Epoch:
        before = self.history[-1].objective if self.history else float("inf")
        change = abs(before - objective) / max(abs(objective), 1e-300)
        return Epoch(len(self.history) + 1, objective, change, self.seconds, validation)

    def amend(self, objective: float) -> None:
        """Replace the last epoch's objective, after what a fit does once at its end."""
        self.history.pop()
        self.history.append(self._epoch(objective))


class _bar:  # noqa: N801  (used as a function)
    """A rich progress bar on stderr, or nothing."""

    def __init__(self, title: str, total: int, shown: bool) -> None:
        self.title, self.total, self.shown = title, total, shown

    def __enter__(self) -> Callable[[Epoch], None]:
        if not self.shown:
            return lambda _: None
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.bar = Progress(*columns, TextColumn("{task.fields[objective]}"), console=Console(stderr=True))
        task = self.bar.add_task(self.title, total=self.total, objective="")
        self.bar.start()
        return lambda epoch: self.bar.update(task, advance=1, objective=f"objective {epoch.objective:,.6g}")

    def __exit__(self, *_: object) -> None:
        if self.shown:
            self.bar.stop()
