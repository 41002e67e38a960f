"""What people see: lines of facts, tables, a sign of life while something is read; and JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_INDENT = 10  # columns that labels take


def console(*, stderr: bool = False) -> Console:
    """Return a console that prints text as it is: no markup, no colouring of numbers."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


class Facts:
    """Lines of a label and a text, aligned. With --json they go to stderr, for stdout belongs to the JSON."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.console = console(stderr=as_json)

    def say(self, label: str, text: str, *, whole: bool = False) -> None:
        """Print a line; on a terminal long text wraps under itself, unless it is `whole`, as commands are."""
        import textwrap

        from rich.text import Text

        wraps = self.console.is_terminal and not whole
        width = self.console.width - _INDENT if wraps else len(text)
        lines = textwrap.wrap(text, max(width, 20), break_on_hyphens=False) or [""]
        line = Text(f"{label:<{_INDENT}}", style="bold cyan")
        self.console.print(line.append(f"\n{'':{_INDENT}}".join(lines), style="not bold default"), soft_wrap=True)

    def gap(self) -> None:
        self.console.print()

    def paragraph(self, text: str) -> None:
        """Print text between empty lines."""
        self.console.print(f"\n{text}\n", soft_wrap=not self.console.is_terminal)

    def table(self, title: str, columns: dict[str, list[str]], right: Collection[str] = ()) -> None:
        """Print a table under a title; the columns named in `right` hold numbers."""
        from alsatian.tables import TextTable

        if title:
            self.console.print(title, style="bold", soft_wrap=True)
        table = TextTable("", columns, frozenset(right))
        self.console.print(table if self.console.is_terminal else str(table), soft_wrap=not self.console.is_terminal)


def aside(text: str) -> None:
    """Say something beside the result, on stderr."""
    console(stderr=True).print(text, soft_wrap=True)


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


def size(count: float) -> str:
    """Write a number of bytes for people.

    >>> size(3_400_000)
    '3.4 MB'
    """
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 999.5 or unit == "GB":
            break
        count /= 1000
    return f"{count:.0f} {unit}" if unit == "bytes" or count >= 99.95 else f"{count:.1f} {unit}"


def duration(seconds: float) -> str:
    """Write a length of time for people.

    >>> duration(0.0123), duration(75)
    ('12 ms', '1 min 15 s')
    """
    if seconds < 0.9995:
        return f"{max(seconds * 1000, 1):.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def number(value: float) -> str:
    """Write a number for people.

    >>> number(104692.3), number(0.123456)
    ('104,692', '0.1235')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def count(number: int, noun: str) -> str:
    """Write a number with its noun.

    >>> count(1, "user"), count(1200, "user")
    ('1 user', '1,200 users')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def json_id(id: int | str) -> int | str:
    """Return an id as JSON holds it: a number within 2^53, else text."""
    return str(id) if isinstance(id, int) and abs(id) > 2**53 else id
