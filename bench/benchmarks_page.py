"""Writing docs/benchmarks.md from bench/results: a section for each suite, headed by the suite's docstring."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

from bench.results_page import Page, circumstances

SUITES = ("kernels", "solvers", "sgd", "topn", "neighbors", "reading", "scaling", "quality")

HEAD = """# Benchmarks

`make bench` writes this page from `bench/results/*.json`; do not edit it. Every participant runs in a process and an
environment of its own, on the same data and threads. They take turns, round after round. Figures are medians with
(smallest to largest). A library that does not install or fails is listed with the reason.

Data in the shape of a known set is synthetic ({source}) and serves for speed and memory only. Alsatian's results have
the same bits at any number of threads; not every peer promises that.
"""


def write(results: Path, target: Path) -> None:
    """Render the results that are there; suites without results have no section."""
    page = Page(target)
    measured = {name: json.loads(path.read_text()) for name in SUITES if (path := results / f"{name}.json").exists()}
    sources = {result["source"] for result in measured.values()}
    page.text(HEAD.format(source=", ".join(f"`{source}`" for source in sorted(sources))))
    for name, result in measured.items():
        suite = importlib.import_module(f"bench.suites.{name}")
        title, _, body = (suite.__doc__ or "").partition("\n")
        page.text(f"## {title}")
        page.text(body)
        suite.render(result["results"], page)
        page.text(circumstances(result))
    page.write()
