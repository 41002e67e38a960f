"""The tree of errors: what is raised on purpose, and how it can be caught."""

from __future__ import annotations

import inspect

import pytest

from alsatian import errors
from alsatian.errors import AlsatianError, did_you_mean

CLASSES = [cls for _, cls in inspect.getmembers(errors, inspect.isclass)]
DRAWN = [line for line in (errors.__doc__ or "").splitlines() if line.startswith("    ")]


def drawn_parent(name: str) -> str | None:
    """Return the error under which one is drawn: the nearest line above that is indented less."""

    def depth(line: str) -> int:
        return next(place for place, letter in enumerate(line) if letter.isalpha())

    at = next(place for place, line in enumerate(DRAWN) if line.split("── ")[-1].split()[0] == name)
    above = [line for line in DRAWN[:at] if depth(line) < depth(DRAWN[at])]
    return above[-1].split("── ")[-1].split()[0] if above else None


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_is_drawn_under_its_parent(cls: type) -> None:
    ours = [base.__name__ for base in cls.__bases__ if issubclass(base, AlsatianError)]
    assert drawn_parent(cls.__name__) == (ours[0] if ours else None)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_the_builtin_it_also_is_is_drawn_beside_it(cls: type) -> None:
    builtin = [base.__name__ for base in cls.__bases__ if base.__module__ == "builtins" and base is not Exception]
    line = next(line for line in DRAWN if line.split("── ")[-1].split()[0] == cls.__name__)
    assert line.rstrip().endswith(f"({builtin[0]})" if builtin else line.rstrip()[-3:])


def test_one_root_catches_all() -> None:
    assert all(issubclass(cls, AlsatianError) for cls in CLASSES)
    assert len(DRAWN) == len(CLASSES)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_says_what_it_is(cls: type) -> None:
    assert cls.__doc__


def test_the_nearest_word_is_offered() -> None:
    assert did_you_mean("fctors", ["factors", "reg"]) == " Did you mean 'factors'?"
    assert did_you_mean("zzz", ["factors", "reg"]) == ""
