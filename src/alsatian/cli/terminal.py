"""What people see: lines of facts, tables, a sign of life while something is read; and JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from alsatian._util.text_table import TextTable

_INDENT = 10  # columns that labels take


def console(*, stderr: bool = False) -> Console:
    """Return a console that prints text as it is: no markup, no colouring of numbers."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


class Facts:
    """Lines of a label and a text, aligned. With --json they go to stderr, for stdout belongs to the JSON."""

    def __init__(self, *, stderr: bool = False) -> None:
        self.console = console(stderr=stderr)

    def say(self, label: str, text: str, *, whole: bool = False) -> None:
        """Print a line; on a terminal long text wraps under itself, unless it is `whole`, as commands are."""
        from rich.text import Text

        wrapped = text if whole else _wrapped(self.console, text, _INDENT)
        line = Text(f"{label:<{_INDENT}}", style="bold cyan")
        self.console.print(line.append(wrapped, style="not bold default"), soft_wrap=True)

    def gap(self) -> None:
        self.console.print()

    def paragraph(self, text: str) -> None:
        """Print text between empty lines."""
        self.console.print(f"\n{_wrapped(self.console, text)}\n", soft_wrap=True)

    def table(self, title: str, columns: dict[str, list[str]], right: Collection[str] = ()) -> None:
        """Print a table under a title; the columns named in `right` hold numbers."""
        from alsatian._util.text_table import TextTable

        draw(self.console, TextTable(title, columns, frozenset(right)))


def draw(on: Console, table: TextTable) -> None:
    """Print a table; in a pipe nothing is cut to a width, or filled up to one."""
    on.print(table if on.is_terminal else str(table), soft_wrap=not on.is_terminal)


def aside(text: str) -> None:
    """Say something beside the result, on stderr."""
    on = console(stderr=True)
    on.print(_wrapped(on, text), soft_wrap=True)


def _wrapped(on: Console, text: str, indent: int = 0) -> str:
    """Break text into lines where it goes to a terminal; those after the first are indented."""
    import textwrap

    if not on.is_terminal:
        return text
    lines = textwrap.wrap(text, max(on.width - indent, 20), break_on_hyphens=False)
    return f"\n{'':{indent}}".join(lines)


@contextmanager
def busy(what: str) -> Iterator[None]:
    """Show that something goes on, on a terminal; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield
        return
    with console(stderr=True).status(what):
        yield


def print_json(record: dict[str, Any]) -> None:
    """Print one JSON object on a line of its own."""
    import json

    print(json.dumps(record, ensure_ascii=False, allow_nan=False))


def bar(share: float, width: int) -> str:
    """Draw a bar of this share of a width, to an eighth of a character.

    >>> bar(0.5, 5)
    '██▌'
    """
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
