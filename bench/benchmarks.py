"""Run the suites that docs/benchmarks.md quotes, and write the page.

    python -m bench benchmarks                             # all of them, as the page quotes them
    python -m bench benchmarks --shape ml-1m --factors 16 --rounds 1     # a trial on a small data set
    python -m bench benchmarks topn reading                # these only; the results of the others stay
    python -m bench benchmarks --render                    # only write the page from the results

A trial on another data set than ml-20m writes to .bench/trial instead of bench/results and docs.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench import suite_runner
from bench.benchmarks_page import SUITES
from bench.programs import argument_parser

DURATION = "hours"


def main(arguments: Sequence[str]) -> None:
    parser = argument_parser(__name__, __doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(SUITES)} (default: all)")
    suite_runner.add_options(parser)
    options = parser.parse_args(arguments, namespace=suite_runner.Options())
    if unknown := [name for name in options.suites if name not in SUITES]:
        parser.error(f"not a suite of the page: {', '.join(unknown)}; choose from {', '.join(SUITES)}")
    suite_runner.run(options.suites or SUITES, options)
