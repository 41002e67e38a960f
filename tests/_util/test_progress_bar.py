"""Progress: a bar on a terminal, one line that is updated in place in a notebook, nothing elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from alsatian._util import progress_bar
from alsatian._util.progress_bar import is_progress_visible, show_progress, show_steps
from support.notebook import FakeKernel


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> FakeKernel:
    """A kernel, and a clock that goes on by a second at each look."""
    seconds = iter(range(1000))
    monkeypatch.setattr(progress_bar, "time", SimpleNamespace(perf_counter=lambda: float(next(seconds))))
    return FakeKernel(monkeypatch)


class TestInANotebook:
    def test_one_output_is_updated_in_place_and_ends_with_a_line(self, kernel: FakeKernel) -> None:
        with show_progress("explicit-als", 2, None) as update:
            update(1, "objective 7")
            update(2, "objective 6")
        assert len(kernel.outputs) == 1
        lines = [state["text/plain"] for state in kernel.outputs[0]]
        assert lines[0] == "explicit-als 0/2"
        assert re.fullmatch(r"explicit-als 1/2, \d\.0 s left, objective 7", lines[1])
        assert lines[2] == "explicit-als 2/2, objective 6"
        assert re.fullmatch(r"explicit-als 2/2 in \d\.0 s, objective 6", lines[3])

    def test_the_bar_is_html_and_leaves_at_the_end(self, kernel: FakeKernel) -> None:
        with show_progress("fit of <b>", 2, None) as update:
            update(1, "a < b")
        htmls = [state["text/html"] for state in kernel.outputs[0]]
        assert '<progress value="1" max="2"></progress>' in htmls[1]
        assert "fit of &lt;b&gt;" in htmls[1]
        assert "a &lt; b" in htmls[1]
        assert "<progress" not in htmls[-1]

    def test_updates_come_a_few_times_a_second(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(progress_bar, "time", SimpleNamespace(perf_counter=lambda: 1.0))
        kernel = FakeKernel(monkeypatch)
        with show_progress("als", 100, None) as update:
            for completed in range(1, 101):
                update(completed, "")
        assert len(kernel.outputs[0]) == 3  # the first, one more, and the last
        assert kernel.final_lines == ["als 100/100 in 1 ms"]

    def test_a_fit_that_fails_leaves_its_last_line(self, kernel: FakeKernel) -> None:
        def fit() -> None:
            with show_progress("als", 3, None) as update:
                update(1, "objective 7")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fit()
        assert re.fullmatch(r"als 1/3 in \d\.0 s, objective 7", kernel.final_lines[0])

    def test_steps_are_named_as_they_begin(self, kernel: FakeKernel) -> None:
        with show_steps("evaluating", 2, None) as step:
            step("ease")
            step("popularity")
        lines = [state["text/plain"] for state in kernel.outputs[0]]
        assert lines[1] == "evaluating 0/2, ease"
        assert re.fullmatch(r"evaluating 1/2, \d\.0 s left, popularity", lines[2])
        assert re.fullmatch(r"evaluating 2/2 in \d\.0 s", lines[-1])

    def test_not_where_it_was_refused(self, kernel: FakeKernel) -> None:
        with show_progress("als", 2, False) as update, show_steps("evaluating", 2, False) as step:
            update(1, "")
            step("ease")
        assert kernel.outputs == []

    def test_not_in_ipython_on_a_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        FakeKernel(monkeypatch, kernel=None)
        monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: False))
        assert not is_progress_visible(None)


class TestElsewhere:
    def test_only_on_a_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for is_terminal in (True, False):
            monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda is_terminal=is_terminal: is_terminal))
            assert is_progress_visible(None) == is_terminal
            assert is_progress_visible(not is_terminal) != is_terminal

    def test_bars_are_drawn_on_stderr(self, capsys: pytest.CaptureFixture[str]) -> None:
        with show_progress("als", 2, True) as update:
            update(2, "objective 7")
        with show_steps("evaluating", 1, True) as step:
            step("ease")
        drawn = capsys.readouterr()
        assert drawn.out == ""
        assert "als" in drawn.err
        assert "2/2" in drawn.err
        assert "objective 7" in drawn.err
        assert "ease" in drawn.err

    def test_ipython_is_not_imported(self) -> None:
        code = (
            "import sys; from alsatian._util.progress_bar import is_progress_visible; is_progress_visible(None); "
            "assert 'IPython' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", code], check=True)
