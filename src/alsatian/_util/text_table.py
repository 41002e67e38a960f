"""Small tables of text: on a terminal in colour, elsewhere plain, in a notebook as HTML."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.console import Group

_MAX_NOWRAP_LETTERS = 24  # letters; on a narrow terminal wider columns wrap, and these do not


@dataclass(frozen=True)
class TextTable:
    """Columns of cells, by name, all equally long; those named in `right` are numbers. note: lines below."""

    title: str
    columns: Mapping[str, Sequence[str]]
    right_aligned: frozenset[str]
    note: str = ""

    def __rich__(self) -> Group:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table(header_style="dim", box=None, padding=(0, 2, 0, 0), pad_edge=False)
        for name, cells in self.columns.items():
            justify: Literal["left", "right"] = "right" if name in self.right_aligned else "left"
            table.add_column(name, justify=justify, no_wrap=max(map(len, cells), default=0) <= _MAX_NOWRAP_LETTERS)
        for row in zip(*self.columns.values(), strict=True):
            table.add_row(*(Text(_printable(cell)) for cell in row))  # "[REC] (2007)" is a title, not markup
        title, note = Text(_printable(self.title), "bold"), Text("\n".join(self._notes), "dim")
        return Group(*(part for part in (title, table, note) if part is table or part))

    @property
    def _notes(self) -> list[str]:
        return [_printable(line) for line in self.note.splitlines()]

    def __str__(self) -> str:
        from rich.console import Console

        file = io.StringIO()
        letters = sum(max(map(len, [name, *cells])) + 2 for name, cells in self.columns.items())
        width = 2 * letters + len(self.title) + len(self.note)  # a letter takes two places at most: nothing wraps
        Console(file=file, width=width, color_system=None, force_terminal=False, force_jupyter=False).print(self)
        return "\n".join(line.rstrip() for line in file.getvalue().splitlines()).rstrip("\n")

    def to_html(self) -> str:
        """Return the table as HTML, every cell escaped."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(_printable(cell))}</td>' for cell in row)}</tr>"
            for row in zip(*self.columns.values(), strict=True)
        )
        note = "".join(f"<p>{escape(line)}</p>" for line in self._notes)
        return (
            f"<table><caption>{escape(_printable(self.title))}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table>{note}"
        )


def _printable(text: str) -> str:
    """A title with control characters must not steer the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
