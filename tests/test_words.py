"""What is written is true: exported names, light imports, examples, documented commands."""

from __future__ import annotations

import ast
import doctest
import importlib
import json
import os
import pkgutil
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import alsatian
from alsatian.cli import run
from support.sentences import MAX_WORDS, documentation, sentences

PACKAGE = Path(alsatian.__file__).parent
ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


class TestImports:
    @pytest.mark.parametrize(
        "heavy",
        [
            "duckdb", "fastapi", "jinja2", "matplotlib", "numpy", "optuna", "pandas", "polars", "pyarrow", "rich",
            "scipy", "sqlalchemy", "typer",
        ],
    )  # fmt: skip
    def test_the_package_loads_nothing_heavy(self, heavy: str) -> None:
        assert heavy not in loaded("import alsatian")

    @pytest.mark.parametrize("heavy", ["rich", "scipy", "pandas", "polars", "pyarrow", "typer"])
    def test_a_model_is_loaded_without_what_only_reading_needs(self, heavy: str) -> None:
        assert heavy not in loaded("from alsatian import ExplicitALS, load")


def loaded(code: str) -> set[str]:
    command = f"{code}; import sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


class TestNames:
    def test_all_is_what_is_exported(self) -> None:
        assert len(set(alsatian.__all__)) == len(alsatian.__all__)
        assert set(alsatian.__all__) == set(dir(alsatian))
        for name in alsatian.__all__:
            assert getattr(alsatian, name) is not None

    def test_type_checkers_see_the_same_names(self) -> None:
        tree = ast.parse((PACKAGE / "__init__.py").read_text())
        typed = next(node for node in tree.body if isinstance(node, ast.If))
        assert {
            alias.asname or alias.name
            for node in ast.walk(typed)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        } == set(alsatian.__all__)

    def test_a_name_that_is_not_there(self) -> None:
        with pytest.raises(AttributeError, match="module 'alsatian' has no attribute 'Recommender'"):
            alsatian.Recommender  # noqa: B018

    def test_one_version_everywhere(self) -> None:
        from importlib.metadata import version

        assert alsatian.__version__ == version("alsatian")

    def test_files_are_short(self) -> None:
        sources = [path for part in ("src", "cpp", "tests", "bench", "examples") for path in (ROOT / part).rglob("*.*")]
        long = {
            str(path.relative_to(ROOT)): lines
            for path in sources
            if path.suffix in (".py", ".cpp", ".h", ".pyi") and (lines := len(path.read_text().splitlines())) > 400
        }
        assert long == {}


def examples() -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for module in pkgutil.walk_packages([str(PACKAGE)], "alsatian."):
        if "._native" not in module.name and not module.name.endswith("__main__"):
            yield from (test for test in finder.find(importlib.import_module(module.name)) if test.examples)
    yield from (test for test in finder.find(alsatian, "alsatian") if test.examples)


@pytest.mark.parametrize("example", {test.name: test for test in examples()}.values(), ids=lambda test: test.name)
def test_docstring_examples_run(example: doctest.DocTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    output: list[str] = []
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.DocTestRunner(optionflags=flags).run(example, out=output.append)
    assert result.failed == 0, "".join(output)


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def pages_with(language: str) -> list[Any]:
    """Return the pages with code in a language, those that start Spark beside the other tests that do."""
    spark = [pytest.mark.spark, pytest.mark.xdist_group("spark")]
    return [
        pytest.param(page, id=str(page.relative_to(ROOT)), marks=spark if page.stem == "spark" else [])
        for page in PAGES
        if blocks(page, language)
    ]


@pytest.mark.usefixtures("fewer_users")
@pytest.mark.parametrize("page", pages_with("python"))
def test_python_blocks_run_in_order(
    page: Path, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if page.stem == "spark":
        request.getfixturevalue("spark")  # the session that the other tests use, and not one that they would find
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks(page, "python"):
        exec(compile(block, f"{page.name}: {block.splitlines()[0]}", "exec"), names)


INSTALLING = ("make", "pip install", "git clone", "cd ", "python -m venv", "python3 -m venv")


@pytest.mark.usefixtures("fewer_users")
@pytest.mark.parametrize("page", pages_with("console"))
def test_console_blocks_run_in_order(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for block in blocks(page, "console"):
        joined = re.sub(r"\\\n\s*>?\s*", "", block)
        for line in joined.splitlines():
            command = line.removeprefix("$ ")
            if command == line or command.startswith(INSTALLING):
                continue
            program, *arguments = shlex.split(command)
            assert program == "alsatian"
            assert run(arguments) == 0, f"$ {command}\n{capsys.readouterr().err}"


@pytest.mark.slow
def test_the_readme_runs_as_installed_on_all_data(tmp_path: Path) -> None:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for block in blocks(ROOT / "README.md", "console"):
        for line in re.sub(r"\\\n\s*>?\s*", "", block).splitlines():
            command = line.removeprefix("$ ")
            if command != line and not command.startswith(INSTALLING):
                subprocess.run(shlex.split(command), cwd=tmp_path, env=environment, check=True, capture_output=True)


@pytest.mark.parametrize("page", documentation(), ids=lambda page: str(page.relative_to(ROOT)))
def test_sentences_are_short(page: Path) -> None:
    assert [sentence.text for sentence in sentences(page) if sentence.words > MAX_WORDS] == []


def test_every_command_is_in_the_documentation() -> None:
    from typer.main import get_command

    from alsatian.cli.app import app

    written = "\n".join(page.read_text() for page in PAGES)
    missing = [name for name in get_command(app).commands if not re.search(rf"\balsatian {name}\b", written)]  # type: ignore[attr-defined]
    assert missing == []
