"""What a notebook shows: the cells of a table in HTML, and a kernel whose outputs can be looked at."""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


class HtmlTable(HTMLParser):
    """The texts of a table: its caption, its rows (the first is the head) and the notes below."""

    def __init__(self, shown: Any) -> None:
        super().__init__()
        self.caption, self.notes, self.tags = "", list[str](), set[str]()
        self.html: str = shown if isinstance(shown, str) else shown._repr_html_()
        self._cells: list[list[tuple[str, bool]]] = []  # a text, and whether it is a figure
        self._texts: list[str] = []
        self._is_figure = False
        self.feed(self.html)
        self.close()

    @property
    def rows(self) -> list[list[str]]:
        return [[text for text, _ in row] for row in self._cells]

    @property
    def number_columns(self) -> set[str]:
        """The columns whose cells, the head included, are all marked as figures; no column may have some."""
        columns = [(cells[0][0], {is_figure for _, is_figure in cells}) for cells in zip(*self._cells, strict=True)]
        assert all(len(marks) == 1 for _, marks in columns), columns
        return {name for name, marks in columns if marks == {True}}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._texts, self._is_figure = [], ("class", "number") in attrs
        if tag == "tr":
            self._cells.append([])

    def handle_data(self, data: str) -> None:
        self._texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        text = "".join(self._texts)
        if tag in ("th", "td"):
            self._cells[-1].append((text, self._is_figure))
        elif tag == "caption":
            self.caption = text
        elif tag == "p":
            self.notes.append(text)


def assert_agrees_with_text(shown: Any) -> None:
    """Check that the HTML of an object has the title, the cells and the notes of its text, in that order."""
    table, text = HtmlTable(shown), " ".join(str(shown).split())
    position = 0
    for part in [table.caption, *(cell for row in table.rows for cell in row), *table.notes]:
        part = " ".join(part.split())
        position = text.find(part, position)
        assert position >= 0, f"{part!r} is not in its place in {text!r}"
        position += len(part)


class FakeKernel:
    """Stands in for IPython in a kernel: `outputs` holds every state of each output, as bundles of its forms."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, kernel: object = "a kernel") -> None:
        self.outputs: list[list[dict[str, str]]] = []
        ipython, display = ModuleType("IPython"), ModuleType("IPython.display")
        ipython.get_ipython = lambda: SimpleNamespace(kernel=kernel)  # type: ignore[attr-defined]
        display.display = self._display  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "IPython", ipython)
        monkeypatch.setitem(sys.modules, "IPython.display", display)

    def _display(self, bundle: dict[str, str], *, raw: bool, display_id: bool) -> Any:
        assert raw
        assert display_id
        states = [bundle]
        self.outputs.append(states)

        def update(new_bundle: dict[str, str], *, raw: bool) -> None:
            assert raw
            states.append(new_bundle)

        return SimpleNamespace(update=update)

    @property
    def final_lines(self) -> list[str]:
        """The text of each output at the end."""
        return [states[-1]["text/plain"] for states in self.outputs]
