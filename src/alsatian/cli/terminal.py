"""Terminal output: aligned lines, tables, status messages, and JSON."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from alsatian._util.text_table import TextTable

_LABEL_WIDTH = 10  # characters


def make_console(*, stderr: bool = False) -> Console:
    """Return a console that prints text unchanged: no markup, no coloring of numbers."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


class Summary:
    """Prints aligned lines of a label and a text. With --json they go to stderr, because stdout has the JSON."""

    def __init__(self, *, stderr: bool = False) -> None:
        self.console = make_console(stderr=stderr)

    def line(self, label: str, text: str, *, no_wrap: bool = False) -> None:
        """Print a line. On a terminal long text is wrapped and indented, unless no_wrap, as for commands."""
        from rich.text import Text

        wrapped_text = text if no_wrap else _wrap_text(self.console, text, _LABEL_WIDTH)
        line = Text(f"{label:<{_LABEL_WIDTH}}", style="bold cyan")
        self.console.print(line.append(wrapped_text, style="not bold default"), soft_wrap=True)

    def blank_line(self) -> None:
        """Print an empty line."""
        self.console.print()

    def paragraph(self, text: str) -> None:
        """Print text between empty lines."""
        self.console.print(f"\n{_wrap_text(self.console, text)}\n", soft_wrap=True)

    def table(self, title: str, columns: dict[str, list[str]], right: Collection[str] = ()) -> None:
        """Print a table under a title; the columns named in `right` hold numbers."""
        from alsatian._util.text_table import TextTable

        print_table(self.console, TextTable(title, columns, frozenset(right)))


def print_table(console: Console, table: TextTable) -> None:
    """Print a table; in a pipe it is neither cut nor padded to a width."""
    console.print(table if console.is_terminal else str(table), soft_wrap=not console.is_terminal)


def note_stderr(text: str) -> None:
    """Print a note on stderr."""
    console = make_console(stderr=True)
    console.print(_wrap_text(console, text), soft_wrap=True)


def _wrap_text(console: Console, text: str, indent: int = 0) -> str:
    """Wrap text for a terminal; lines after the first are indented."""
    import textwrap

    if not console.is_terminal:
        return text
    lines = textwrap.wrap(text, max(console.width - indent, 20), break_on_hyphens=False)
    return f"\n{'':{indent}}".join(lines)


@contextmanager
def show_status(message: str) -> Iterator[None]:
    """Show a status message on a terminal while the block runs; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield
        return
    with make_console(stderr=True).status(message):
        yield


def print_json(record: dict[str, Any]) -> None:
    """Print one JSON object on a line of its own."""
    import json

    print(json.dumps(record, ensure_ascii=False, allow_nan=False))


def format_bar(share: float, width: int) -> str:
    """Return a bar as long as a share of a width, to an eighth of a character.

    >>> format_bar(0.5, 5)
    '██▌'
    """
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
