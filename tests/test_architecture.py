"""docs/architecture.md names every module of the package and of the core, and nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

from support.structure import FLOORS, Structure

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
TREE = PAGE.split("```")[1]


def test_the_tree_names_every_module() -> None:
    modules = Structure().modules.values()
    stems = {module.stem for module in modules if not module.stem.startswith("_")}
    stems |= {path.stem for path in (ROOT / "cpp").glob("*/*") if path.stem not in ("binding", "module")}
    written = set(re.findall(r"\w+", TREE))
    assert sorted(stem for stem in stems - written if not stem.startswith("bind_")) == []


def test_the_tree_names_every_folder_and_no_other() -> None:
    tops = (ROOT / "src" / "alsatian", ROOT / "cpp")
    files = [path for top in tops for path in top.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    parents = {parent for path in files for parent in path.parents if any(top in parent.parents for top in tops)}
    folders = {f"{path.name}/" for path in parents}  # a folder that git left empty is none
    assert {word for word in re.findall(r"\w+/", TREE) if word not in ("src/", "alsatian/", "cpp/")} == folders


def test_every_listed_module_is_there() -> None:
    names = re.findall(r"(?<=·) (\w+)", TREE)
    stems = {path.stem for top in ("src", "cpp") for path in (ROOT / top).rglob("*.*")}
    assert sorted(set(names) - stems) == []


def test_the_floors_are_those_of_the_structure_test() -> None:
    section = PAGE.partition("## Floors and rules")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", section, re.MULTILINE)
    parts = [[] if "face" in cells else re.findall(r"`(\w+)`", cells) for _, cells in rows]
    assert parts == [[name for name in floor if name] for floor in FLOORS]
