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


# Today's counts, each to come down to the one in the comment as the house is put in order.
def test_no_more_modules_import_one_another_in_a_circle(structure: Structure) -> None:
    sizes = [sum(map(len, structure.circles(KINDS[:count]))) for count in (1, 2, 3)]
    assert sizes <= [0, 25, 54]  # [0, 0, 0]


def test_no_more_imports_run_upward(structure: Structure) -> None:
    assert len(structure.upward) <= 7, structure.upward  # 0


def test_no_more_uses_of_private_names_across_files(structure: Structure) -> None:
    assert len(structure.private_uses) <= 47, structure.private_uses  # 0


def test_no_more_names_are_used_twice(structure: Structure) -> None:
    assert len(structure.stems_used_twice) <= 21, structure.stems_used_twice  # cli/
    assert len(structure.twice) <= 208, structure.twice  # 20


def test_no_command_imports_another(structure: Structure) -> None:
    commands = "cli.commands."
    assert not [
        one for one in structure.imports if one.importer.startswith(commands) and one.imported.startswith(commands)
    ]


def test_no_larger_folder(structure: Structure) -> None:
    assert max(structure.folder_sizes.values()) <= 47, structure.folder_sizes  # 16


def test_no_more_public_names_without_a_docstring(structure: Structure) -> None:
    assert len(structure.undocumented) <= 174, structure.undocumented  # 0
