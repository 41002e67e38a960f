"""Choose the compiled module: the fastest build that this processor supports.

There is one module per instruction set. The environment variable ALSATIAN_KERNELS selects one by name ("avx2",
"baseline"), for tests and comparisons.
"""

from __future__ import annotations

import importlib
import os
from types import ModuleType

from alsatian.errors import ParameterError
from alsatian.kernels.native import _native

BUILDS = {"avx2": "_native_avx2", "baseline": "_native"}  # instruction set -> module; the fastest first


def runnable_builds() -> list[str]:
    """Return the instruction sets of the builds that this processor can run, the fastest first."""
    return [name for name in BUILDS if _native.supports(name)]


def load_build(name: str) -> ModuleType:
    """Return the compiled module of an instruction set; raises ParameterError if this processor cannot run it."""
    if name not in runnable_builds():
        raise ParameterError(f"ALSATIAN_KERNELS={name!r} is not available here; choose one of {runnable_builds()}.")
    return importlib.import_module(f"alsatian.kernels.native.{BUILDS[name]}")


instruction_set: str = os.environ.get("ALSATIAN_KERNELS", runnable_builds()[0])
native: ModuleType = load_build(instruction_set)  # the module that the wrappers call
