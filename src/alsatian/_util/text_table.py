"""Small text tables: colored on a terminal, plain elsewhere. In a notebook they are HTML (html_table.py)."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.console import Group

_MAX_NOWRAP_LETTERS = 24  # columns up to this width do not wrap on a narrow terminal


@dataclass(frozen=True)
class TextTable:
    """Columns of text cells by name, all of the same length.

    right_aligned: names of the columns of numbers. note: lines below the table.
    """

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
            table.add_row(*(Text(printable(cell)) for cell in row))  # "[REC] (2007)" is a title, not markup
        title = Text(printable(self.title), "bold")
        note = Text("\n".join(map(printable, self.note.splitlines())), "dim")
        return Group(*(part for part in (title, table, note) if part is table or part))

    def __str__(self) -> str:
        from rich.console import Console

        file = io.StringIO()
        letters = sum(max(map(len, [name, *cells])) + 2 for name, cells in self.columns.items())
        width = 2 * letters + len(self.title) + len(self.note)  # a letter is at most two cells wide: nothing wraps
        Console(file=file, width=width, color_system=None, force_terminal=False, force_jupyter=False).print(self)
        return "\n".join(line.rstrip() for line in file.getvalue().splitlines()).rstrip("\n")


def printable(text: str) -> str:
    """Replace control characters, which could manipulate the terminal, with spaces."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
