"""The progress of work in several steps: a bar on a terminal, a line that is updated in place in a notebook."""

from __future__ import annotations

import importlib
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

from alsatian._util.formatting import format_duration

StepCallback = Callable[[str], None]  # takes the name of the step that begins
ProgressCallback = Callable[[int, str], None]  # takes the number of finished steps, and a text about the last one

_SECONDS_BETWEEN_UPDATES = 0.1  # of a notebook, which gets a message each time


def is_progress_visible(visible: bool | None) -> bool:
    """Return whether to show progress; None: only on a terminal and in a notebook."""
    return (sys.stderr.isatty() or _in_notebook()) if visible is None else visible


@contextmanager
def show_progress(title: str, total: int, visible: bool | None) -> Iterator[ProgressCallback]:
    """Show how many of `total` steps are finished, on stderr or in the notebook (visible: see above)."""
    if not is_progress_visible(visible):
        yield lambda completed, text: None
        return
    if _in_notebook():
        with _show_notebook_line(title, total) as update:
            yield update
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[text]}"), console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total, text="")
        yield lambda completed, text: bar.update(task, completed=completed, text=text)


@contextmanager
def show_steps(description: str, total: int, visible: bool | None) -> Iterator[StepCallback]:
    """Show a bar that moves when a step begins, and the name of that step (visible: see above)."""
    if not is_progress_visible(visible):
        yield lambda _: None
        return
    if _in_notebook():
        with _show_notebook_line(description, total) as update:
            n_begun = 0

            def begin(step_name: str) -> None:
                nonlocal n_begun
                update(n_begun, step_name)
                n_begun += 1

            yield begin
            update(n_begun, "")
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(description, total=total, completed=-1)
        yield lambda step_name: bar.update(task, advance=1, description=step_name)


def _in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook; IPython is not imported to find out."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return get_ipython is not None and getattr(get_ipython(), "kernel", None) is not None


@contextmanager
def _show_notebook_line(title: str, total: int) -> Iterator[ProgressCallback]:
    line = _NotebookLine(title, total)
    try:
        yield line.update
    finally:
        line.finish()


class _NotebookLine:
    """An output of a notebook cell with a progress bar, replaced at each update; text where HTML is not shown."""

    def __init__(self, title: str, total: int) -> None:
        self.title, self.total = title, total
        self.completed, self.text = 0, ""
        self.start, self.shown = time.perf_counter(), -math.inf
        display = importlib.import_module("IPython.display").display
        self.output: Any = display(self._bundle(with_bar=True), raw=True, display_id=True)

    def update(self, completed: int, text: str) -> None:
        """Show the number of finished steps, unless the last update was just before."""
        self.completed, self.text = completed, text
        now = time.perf_counter()
        if now - self.shown >= _SECONDS_BETWEEN_UPDATES:
            self.shown = now
            self.output.update(self._bundle(with_bar=True), raw=True)

    def finish(self) -> None:
        """Show the final line."""
        self.output.update(self._bundle(with_bar=False), raw=True)

    def _bundle(self, *, with_bar: bool) -> dict[str, str]:
        """Return the line as text and as HTML."""
        seconds, left = time.perf_counter() - self.start, self.total - self.completed
        counts, estimate = f"{self.completed:,}/{self.total:,}", ""
        if not with_bar:
            counts += f" in {format_duration(seconds)}"
        elif self.completed and left:
            estimate = f"{format_duration(seconds / self.completed * left)} left"
        texts = ", ".join(filter(None, [counts, estimate, self.text]))
        bar = f'<progress value="{self.completed}" max="{self.total}"></progress> ' if with_bar else ""
        html = f"<div>{escape(self.title)} {bar}{escape(texts)}</div>"
        return {"text/plain": f"{self.title} {texts}", "text/html": html}
