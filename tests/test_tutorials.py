"""The tutorials are stored without outputs, and their code runs in order on fewer users, as in a notebook."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from alsatian._util.html_table import HtmlRepr

TUTORIALS = sorted((Path(__file__).resolve().parents[1] / "docs" / "tutorials").glob("*.ipynb"))


def code_cells(notebook: Path) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]


def run_cell(code: str, namespace: dict[str, Any]) -> Any:
    """Run a cell and return what a notebook shows below it: the value of its last line."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), namespace)
    return None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), namespace)


@pytest.mark.parametrize("notebook", TUTORIALS, ids=lambda path: path.stem)
def test_they_are_stored_without_outputs(notebook: Path) -> None:
    for cell in code_cells(notebook):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


@pytest.mark.usefixtures("fewer_users")
@pytest.mark.filterwarnings("ignore::alsatian.split.SplitWarning")
@pytest.mark.parametrize("notebook", TUTORIALS, ids=lambda path: path.stem)
def test_they_run_and_show_tables_and_plots(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    shown = [run_cell("".join(cell["source"]), namespace) for cell in code_cells(notebook)]
    tables = [value for value in shown if isinstance(value, HtmlRepr)]
    assert len(tables) > 8
    assert all("<table>" in table._repr_html_() for table in tables)
    plots = [value for value in shown if hasattr(value, "_repr_png_")]
    assert [plot._repr_png_()[:4] for plot in plots] == [b"\x89PNG"] * len(plots)
    assert list(tmp_path.iterdir()) == []
