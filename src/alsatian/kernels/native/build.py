"""Which compiled module runs: the best of the builds that this processor supports.

There is a whole module for each instruction set. The environment variable ALSATIAN_KERNELS picks one by name ("avx2",
"baseline"), for tests and comparisons.
"""

from __future__ import annotations

import importlib
import os
from types import ModuleType

from alsatian.errors import ParameterError
from alsatian.kernels.native import _native

BUILDS = {"avx2": "_native_avx2", "baseline": "_native"}  # instruction set: its module; the best first


def runnable_builds() -> list[str]:
    """Return the instruction sets of the builds that this processor can run, the best first."""
    return [name for name in BUILDS if _native.supports(name)]


def load_build(name: str) -> ModuleType:
    """Return the compiled module of an instruction set; ParameterError if it cannot run here."""
    if name not in runnable_builds():
        raise ParameterError(f"ALSATIAN_KERNELS={name!r} cannot run here; choose one of {runnable_builds()}.")
    return importlib.import_module(f"alsatian.kernels.native.{BUILDS[name]}")


instruction_set: str = os.environ.get("ALSATIAN_KERNELS", runnable_builds()[0])
native: ModuleType = load_build(instruction_set)  # what the wrappers call
