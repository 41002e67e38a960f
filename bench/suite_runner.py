"""Running the suites of docs/benchmarks.md: their options, their results as JSON, the page.

Such a suite is a module with SHAPE, FACTORS and ROUNDS (its usual settings), WORKERS (the environments whose versions
are recorded), run(options) -> results, render(results, page), and perhaps merge(before, results).
"""

from __future__ import annotations

import argparse
import importlib
import json
import time
from collections.abc import Iterable, Sequence
from typing import Any

from bench import benchmarks_page, datasets, harness, synthetic
from bench.programs import argument_parser


class Options(argparse.Namespace):
    """The options of a suite; its usual settings stand for those left out."""

    only: list[str] | None
    suites: list[str]

    def selected(self, participants: Iterable[harness.Participant]) -> list[harness.Participant]:
        """Return the participants that --only names."""
        words = [word.lower() for word in self.only or [""]]
        return [participant for participant in participants if any(word in participant.label.lower() for word in words)]


def add_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--shape", choices=sorted(synthetic.SHAPES), help="of the synthetic data (default: the suite's)")
    add("--factors", type=int, nargs="+", help="(default: the suite's)")
    add("--rounds", type=int, help="(default: the suite's)")
    add("--threads", type=int, default=2)
    add("--only", nargs="+", metavar="WORD", help="only participants whose label contains one of these words")
    add("--cap", type=float, default=900, help="seconds after which a fit is given up")
    add("--seed", type=int, default=0, help="of the starting values")
    add("--spark", action="store_true", help="time Spark MLlib too (suite scaling; needs Java)")
    add("--long", action="store_true", help="all rounds of what takes very long, too")
    add("--render", action="store_true", help="only write the page")


def main(module: str, docstring: str | None, arguments: Sequence[str]) -> None:
    """Run one suite, whose __name__ and __doc__ these are."""
    parser = argument_parser(module, docstring)
    add_options(parser)
    run([module.rpartition(".")[2]], parser.parse_args(arguments, namespace=Options()))


def run(names: Sequence[str], options: Options) -> None:
    """Run some suites, keep their results, write the page."""
    trial = options.shape is not None and options.shape != "ml-20m"
    folder = datasets.CACHE / "trial" if trial else harness.RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    for name in () if options.render else names:
        print(f"{name}:", flush=True)
        path = folder / f"{name}.json"
        before = json.loads(path.read_text())["results"] if path.exists() else None
        path.write_text(json.dumps(_measure(name, options, before), indent=1) + "\n")
    page = folder / "benchmarks.md" if trial else datasets.ROOT / "docs" / "benchmarks.md"
    benchmarks_page.write(folder, page)
    print(f"written: {page.relative_to(datasets.ROOT)}")


def _measure(name: str, options: Options, before: dict[str, Any] | None) -> dict[str, Any]:
    """Run a suite; return its results with the circumstances. Some suites keep part of an earlier run's results."""
    suite = importlib.import_module(f"bench.suites.{name}")
    defaults = {"shape": suite.SHAPE, "factors": suite.FACTORS, "rounds": suite.ROUNDS}
    chosen = {key: value for key, value in vars(options).items() if value is not None}
    options = Options(**{**vars(options), **defaults, **chosen})
    start = time.perf_counter()
    results = suite.run(options)
    if before and hasattr(suite, "merge"):
        results = suite.merge(before, results)
    return {
        "suite": name,
        **harness.circumstances(start, suite.WORKERS),
        "settings": {key: getattr(options, key) for key in ("shape", "factors", "rounds", "threads", "cap")},
        "source": datasets.source(),
        "results": results,
    }
