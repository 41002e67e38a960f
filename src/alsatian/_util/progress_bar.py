"""A bar on a terminal for work of several steps."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

StepCallback = Callable[[str], None]  # takes what is begun now


@contextmanager
def show_steps(description: str, total: int, visible: bool | None) -> Iterator[StepCallback]:
    """Draw a bar on stderr (None: only on a terminal), which moves at each step."""
    if not (sys.stderr.isatty() if visible is None else visible):
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(description, total=total, completed=-1)
        yield lambda step_name: bar.update(task, advance=1, description=step_name)
