"""Every test that asks for `kernel` runs once with each build of the native core that this processor can run."""

from __future__ import annotations

from types import ModuleType

import pytest

from alsatian import kernels
from alsatian.kernels.native import build as native_build


@pytest.fixture(params=native_build.runnable_builds())
def build(request: pytest.FixtureRequest) -> ModuleType:
    """One build of the native module, without the wrappers."""
    return native_build.load_build(request.param)


@pytest.fixture
def kernel(build: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`alsatian.kernels` on top of one build."""
    monkeypatch.setattr(native_build, "native", build)
    return kernels
