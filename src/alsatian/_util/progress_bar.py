"""A bar on a terminal for work of several steps."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Step = Callable[[str], None]  # takes what is begun now


@contextmanager
def steps(what: str, total: int, shown: bool | None) -> Iterator[Step]:
    """Draw a bar on stderr (None: only on a terminal), which moves at each step."""
    if not (sys.stderr.isatty() if shown is None else shown):
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total, completed=-1)
        yield lambda begun: bar.update(task, advance=1, description=begun)
