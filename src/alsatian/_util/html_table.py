"""Tables in notebooks: HTML with its own style, in the colors of the notebook.

Nothing is fetched, and no script runs.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from html import escape

from alsatian._util.text_table import TextTable, printable

# As strong as the rule of an id, so that the rules that a notebook has for all tables do not win.
_SCOPE = ":is(.alsatian-table,#alsatian-table)"
# The colors of the page: of the documentation, JupyterLab or VS Code, else dark or light as the system is.
_COLORS = {
    "color": "--md-default-fg-color,var(--jp-ui-font-color0,var(--vscode-editor-foreground,var(--alsatian-ink)))",
    "background": "--md-default-bg-color,var(--jp-layout-color0,var(--vscode-editor-background,var(--alsatian-paper)))",
}
_RULES = {
    "": "--alsatian-ink:#1f2328;--alsatian-paper:#fff;overflow-x:auto;padding:.25em 0;"
    + "".join(f"{name}:var({value});" for name, value in _COLORS.items()),
    "table": "border:0;border-collapse:collapse;color:inherit;display:table;font-size:.9em;line-height:1.4;margin:0;"
    "table-layout:auto;width:auto",
    "caption": "caption-side:top;color:inherit;font-weight:600;max-width:60em;padding:0 0 .35em;text-align:left;"
    "width:max-content",
    "tr": "background:none;border:0",
    "th": "border:0;border-bottom:1px solid #8886;font-weight:400;opacity:.75",
    "td": "border:0;border-bottom:1px solid #8883",
    ":is(th,td)": "background:none;color:inherit;max-width:40em;min-width:0;padding:.2em 1.2em .2em 0;text-align:left;"
    "vertical-align:top;white-space:pre-wrap",
    ":is(th,td).number": "font-variant-numeric:tabular-nums;text-align:right;white-space:nowrap",
    "p": "color:inherit;font-size:.85em;margin:.35em 0 0;opacity:.75",
}
_DARK_RULE = f"@media (prefers-color-scheme:dark){{{_SCOPE}{{--alsatian-ink:#e6e6e6;--alsatian-paper:#1e1e1e}}}}"
_STYLE = "".join(f"{_SCOPE} {tags}".rstrip() + f"{{{rules}}}" for tags, rules in _RULES.items()) + _DARK_RULE


class HtmlRepr:
    """An object that a notebook shows as a table."""

    @abstractmethod
    def _html_table(self) -> TextTable: ...

    def _repr_html_(self) -> str:
        return table_to_html(self._html_table())


class TableRepr(HtmlRepr):
    """An object that is shown as a table: plain as text, in color on a terminal, as HTML in a notebook."""

    @abstractmethod
    def table(self) -> TextTable:
        """Return the cells as text."""

    def _html_table(self) -> TextTable:
        return self.table()

    def __repr__(self) -> str:
        return str(self.table())

    def __rich__(self) -> TextTable:
        return self.table()


def table_to_html(table: TextTable) -> str:
    """Return a table as HTML: the same cells as its text, escaped, with numbers at the right.

    >>> table_to_html(TextTable("", {"title": ["<Up>"], "score": ["0.5"]}, frozenset({"score"}))).split("</style>")[1]
    '<table><thead>...<tbody><tr><td>&lt;Up&gt;</td><td class="number">0.5</td></tr></tbody></table></div>'
    """
    caption = f"<caption>{_escaped(table.title)}</caption>" if table.title else ""
    right = [name in table.right_aligned for name in table.columns]
    head = f"<thead>{_row('th', table.columns, right)}</thead>" if table.columns else ""
    rows = "".join(_row("td", cells, right) for cells in zip(*table.columns.values(), strict=True))
    body = f"<tbody>{rows}</tbody>" if rows else ""
    notes = "".join(f"<p>{_escaped(line)}</p>" for line in table.note.splitlines())
    return f'<div class="alsatian-table"><style>{_STYLE}</style><table>{caption}{head}{body}</table>{notes}</div>'


def _row(tag: str, cells: Iterable[str], right: Iterable[bool]) -> str:
    return f"<tr>{''.join(_cells(tag, cells, right))}</tr>"


def _cells(tag: str, cells: Iterable[str], right: Iterable[bool]) -> Iterator[str]:
    scope = ' scope="col"' if tag == "th" else ""
    for cell, is_right in zip(cells, right, strict=True):
        number = ' class="number"' if is_right else ""
        yield f"<{tag}{scope}{number}>{_escaped(cell)}</{tag}>"


def _escaped(text: str) -> str:
    return escape(printable(text))
