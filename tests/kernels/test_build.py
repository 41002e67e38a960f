"""Which build runs, with how many threads, and what the stub says of it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from alsatian import kernels
from alsatian.errors import ParameterError
from alsatian.kernels.native.build import runnable_builds


def asked_for(build: str, code: str = "print(kernels.instruction_set)") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"from alsatian import kernels; {code}"],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"ALSATIAN_KERNELS": build},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", runnable_builds())
def test_the_environment_chooses_the_build(name: str) -> None:
    assert asked_for(name).stdout.strip() == name


def test_the_best_build_that_the_processor_supports_is_the_default() -> None:
    best = runnable_builds()[0]
    assert os.environ.get("ALSATIAN_KERNELS", best) == kernels.instruction_set


def test_every_build_learns_the_same_to_rounding() -> None:
    fit = (
        "import sys; sys.path.insert(0, 'tests'); from support import problems; "
        "from alsatian.models import ExplicitALS; "
        "model = ExplicitALS(factors=6, reg=0.1, reg_exponent=1, epochs=5); "
        "model.fit(problems.random_ratings(), progress=False); "
        "print(*model.predict(range(80), range(80)))"
    )
    runs = [asked_for(name, fit) for name in runnable_builds()]
    predictions = [np.array(done.stdout.split(), float) for done in runs]
    assert len(predictions[0]) == 80, runs[0].stderr
    for other in predictions[1:]:
        np.testing.assert_allclose(other, predictions[0], rtol=1e-3)


def test_a_build_that_cannot_run_here_is_refused_by_name() -> None:
    error = asked_for("avx1024").stderr
    assert "ParameterError: ALSATIAN_KERNELS='avx1024' is not available here; choose one of" in error
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
    with pytest.raises(ParameterError, match=f"threads={threads} is out of bounds; pass 1 to "):
        kernels.usable_threads(threads)


def test_the_environment_must_name_a_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALSATIAN_THREADS", "many")
    with pytest.raises(ParameterError, match="ALSATIAN_THREADS='many'"):
        kernels.usable_threads()


def test_the_stub_says_what_every_build_takes(build: ModuleType) -> None:
    """The same functions, overloads, argument names and types of numbers as the module says of itself."""
    stub = ast.parse((Path(kernels.__file__).with_name("native") / "_native.pyi").read_text())
    aliases = {entry.target.id: ast.unparse(entry.value) for entry in stub.body if isinstance(entry, ast.AnnAssign)}
    written = [
        (
            node.name,
            [(arg.arg, numbers(ast.unparse(arg.annotation), aliases)) for arg in node.args.args if arg.annotation],
        )
        for node in ast.walk(stub)
        if isinstance(node, ast.FunctionDef)
    ]
    signatures = []
    functions = [(name, entry) for owner in (build, build.Dictionary) for name, entry in vars(owner).items()]
    for name, function in ((name, entry) for name, entry in functions if not name.startswith("_")):
        for signature, *_ in getattr(function, "__nb_signature__", ()):
            text = signature.partition("(")[2].rpartition(")")[0]
            arguments = [argument.partition(": ") for argument in re.split(r", (?=\w+: )", text)]
            signatures.append((name, [(argument, numbers(kind)) for argument, _, kind in arguments if kind]))
    assert sorted(written) == sorted(signatures)


def numbers(annotation: str | None, aliases: Mapping[str, str] = {}) -> tuple[str, bool]:
    """Return the type of the numbers of an array ("" for what is none), and whether it may be None."""
    annotation = aliases.get(annotation or "", annotation)
    kind = re.search(r"u?int\d+|float\d+", (annotation or "").lower())
    return kind.group() if kind else "", "None" in (annotation or "")
