"""The programs of the bench, read from the source of their modules: name, summary, usual duration."""

from __future__ import annotations

import argparse
import ast
import difflib
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
KINDS = {
    "suites": "measured beside other libraries, or quoted by a page under docs/",
    "studies": "single investigations, each behind a default or a sentence of the documentation",
    "commands": "what works on suites",
}
COMMANDS = {"benchmarks": FOLDER / "benchmarks.py", "compare": FOLDER / "commits" / "compare.py"}


@dataclass(frozen=True)
class Program:
    """A module with `main(arguments)`, which `python -m bench NAME` runs."""

    name: str
    kind: str
    path: Path

    @property
    def module(self) -> str:
        return ".".join(("bench", *self.path.relative_to(FOLDER).with_suffix("").parts))

    @property
    def summary(self) -> str:
        """The first line of the module's docstring."""
        docstring = ast.get_docstring(self._tree) or ""
        return docstring.partition("\n")[0].rstrip(".")

    @property
    def duration(self) -> str:
        """The module's DURATION: how long it usually takes."""
        for node in self._tree.body:
            if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["DURATION"]:
                return str(ast.literal_eval(node.value))
        raise ValueError(f"{self.path} does not say its DURATION")

    @property
    def _tree(self) -> ast.Module:
        return ast.parse(self.path.read_text())

    def main(self) -> Callable[[Sequence[str]], None]:
        """Import the module; return its entry point."""
        return importlib.import_module(self.module).main  # type: ignore[no-any-return]


class UnknownProgram(Exception):
    """There is no such program; the message names the nearest."""


def programs() -> list[Program]:
    modules = [
        Program(path.stem, kind, path)
        for kind in ("suites", "studies")
        for path in sorted((FOLDER / kind).glob("[!_]*.py"))
    ]
    return modules + [Program(name, "commands", path) for name, path in COMMANDS.items()]


def program(name: str) -> Program:
    """Return the program of this name; hyphens stand for underscores, too."""
    known = {program.name: program for program in programs()}
    key = name.lower().replace("-", "_")
    if key in known:
        return known[key]
    nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
    hint = f"did you mean {nearest[0]!r}?" if nearest else "`python -m bench` lists them"
    raise UnknownProgram(f"{name!r} is not a suite or study; {hint}")


def listing() -> str:
    """Return a line for each program, by kind."""
    known = programs()
    names, durations = (max(len(getattr(program, name)) for program in known) for name in ("name", "duration"))
    lines = ["usage: python -m bench NAME [options]", "       python -m bench NAME --help"]
    for kind, meaning in KINDS.items():
        lines += ["", f"{kind}: {meaning}"]
        lines += [
            f"  {program.name:{names}}  {program.duration:{durations}}  {program.summary}"
            for program in known
            if program.kind == kind
        ]
    return "\n".join(lines)


def argument_parser(module: str, docstring: str | None, **options: Any) -> argparse.ArgumentParser:
    """Return a parser that explains a module by its docstring; `module` is its __name__."""
    summary, _, details = (docstring or "").partition("\n")
    return argparse.ArgumentParser(
        prog=f"python -m bench {module.rpartition('.')[2]}",
        description=summary,
        epilog=details.strip("\n"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        **options,
    )
