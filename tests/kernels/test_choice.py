"""Which build runs, with how many threads, and what the stub says of it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from alsatian import kernels
from alsatian.errors import ParameterError
from alsatian.kernels import _native


def asked_for(build: str, code: str = "print(kernels.instruction_set)") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"from alsatian import kernels; {code}"],
        env=os.environ | {"ALSATIAN_KERNELS": build},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", [name for name in kernels._BUILDS if _native.supports(name)])
def test_the_environment_chooses_the_build(name: str) -> None:
    assert asked_for(name).stdout.strip() == name


def test_the_best_build_that_the_processor_supports_is_the_default() -> None:
    best = next(name for name in kernels._BUILDS if _native.supports(name))
    assert os.environ.get("ALSATIAN_KERNELS", best) == kernels.instruction_set


def test_a_build_that_cannot_run_here_is_refused_by_name() -> None:
    error = asked_for("avx1024").stderr
    assert "ParameterError: ALSATIAN_KERNELS='avx1024' cannot run here; choose one of" in error
    assert "'baseline'" in error


def test_no_processor_supports_what_does_not_exist(build: ModuleType) -> None:
    assert build.supports("baseline")
    assert not build.supports("avx1024")


def test_threads_are_as_asked_then_as_the_environment_says_then_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kernels.usable_threads(3) == 3
    monkeypatch.setenv("ALSATIAN_THREADS", "5")
    assert kernels.usable_threads() == 5
    monkeypatch.delenv("ALSATIAN_THREADS")
    assert kernels.usable_threads() >= 1


@pytest.mark.parametrize("threads", [0, -2, 100_000])
def test_no_threads_and_far_too_many_are_refused(threads: int) -> None:
    with pytest.raises(ParameterError, match=f"threads={threads} is not possible; pass 1 to "):
        kernels.usable_threads(threads)


def test_the_environment_must_name_a_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALSATIAN_THREADS", "many")
    with pytest.raises(ParameterError, match="ALSATIAN_THREADS='many'"):
        kernels.usable_threads()


def test_the_stub_names_the_functions_of_every_build(build: ModuleType) -> None:
    stub = Path(kernels.__file__).with_name("_native.pyi")
    written = {node.name for node in ast.parse(stub.read_text()).body if isinstance(node, ast.FunctionDef)}
    assert written == {name for name in dir(build) if not name.startswith("_")}
