"""Every test that asks for `kernel` runs once with each build of the native core that this processor can run."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

from alsatian import kernels
from alsatian.kernels import _BUILDS, _native

RUNNABLE = [name for name in _BUILDS if _native.supports(name)]


@pytest.fixture(params=RUNNABLE)
def build(request: pytest.FixtureRequest) -> ModuleType:
    """One build of the native module, without the wrappers."""
    return importlib.import_module(f"alsatian.kernels.{_BUILDS[request.param]}")


@pytest.fixture
def kernel(build: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`alsatian.kernels` on top of one build."""
    monkeypatch.setattr(kernels, "_native", build)
    return kernels
