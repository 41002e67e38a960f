"""The structure of the package: imports, floors, names. `python tests/support/structure.py` prints the same counts."""

from __future__ import annotations

import pytest

from support.structure import FLOORS, KINDS, Structure

pytestmark = pytest.mark.xdist_group("structure")  # the files are read once


@pytest.fixture(scope="module")
def structure() -> Structure:
    return Structure()


def test_every_place_stands_on_a_floor(structure: Structure) -> None:
    assert {module.place for module in structure.modules.values()} == {name for floor in FLOORS for name in floor}


@pytest.mark.parametrize("count", [1, 2, 3], ids=["at the top", "inside functions", "for types"])
def test_no_modules_import_one_another_in_a_circle(structure: Structure, count: int) -> None:
    assert structure.circles(KINDS[:count]) == []


def test_imports_run_downward_only(structure: Structure) -> None:
    assert structure.upward == []


def test_commands_import_no_commands(structure: Structure) -> None:
    commands = "cli.commands."
    imports = [edge for edge in structure.imports if edge.importer.startswith(commands)]
    assert [edge for edge in imports if edge.imported.startswith(commands)] == []


def test_private_names_are_used_in_their_own_file_only(structure: Structure) -> None:
    assert structure.private_uses == []


def test_a_stem_occurs_once_or_in_the_same_role(structure: Structure) -> None:
    """Families have a `base`; what stands in cli/ may bear the name of the subject that it serves."""
    clashes = {
        stem: names
        for stem, names in structure.stems_used_twice.items()
        if stem != "base" and sum(not name.startswith("cli.") for name in names) > 1
    }
    assert clashes == {}


def test_few_names_are_defined_in_two_files(structure: Structure) -> None:
    assert len(structure.twice) <= 20, structure.twice


def test_folders_are_small(structure: Structure) -> None:
    sizes = {folder: size for folder, size in structure.folder_sizes.items() if folder != "cli/commands"}
    assert max(sizes.values()) <= 16, sizes
    assert structure.root_modules == ["__init__.py", "__main__.py", "_version.py", "errors.py"]


def test_every_public_name_has_a_docstring(structure: Structure) -> None:
    assert structure.undocumented == []
