"""Measure Alsatian beside its peers, write bench/results/PART.json, render docs/benchmarks.md.

    python bench                                     # all parts, as the page quotes them: hours
    python bench solvers --factors 64
    python bench --shape ml-1m --factors 16 --rounds 1        # a trial: another shape than a part's own
    python bench --render                            # only write the page anew from the results

A trial writes to .bench/trial instead. Environments, data and references are kept in .bench.
"""

from __future__ import annotations

import argparse
import importlib
import json
import time
from collections.abc import Iterable
from typing import Any

import data
import harness
import report
import synthetic


class Options(argparse.Namespace):
    """What the command line asks for; a part's own settings fill what it leaves open."""

    only: list[str] | None

    def asked(self, participants: Iterable[harness.Participant]) -> list[harness.Participant]:
        """Return those of them who are to take part."""
        only = [word.lower() for word in self.only or [""]]
        return [one for one in participants if any(word in one.label.lower() for word in only)]


def parser() -> argparse.ArgumentParser:
    lead, _, rest = (__doc__ or "").partition("\n")
    made = argparse.ArgumentParser("bench", None, lead, rest, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(report.PARTS)} (default: all)")
    made.add_argument("--shape", choices=sorted(synthetic.SHAPES), help="of the synthetic data (default: the part's)")
    made.add_argument("--factors", type=int, nargs="+", help="(default: the part's)")
    made.add_argument("--rounds", type=int, help="(default: the part's)")
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--only", nargs="+", metavar="WORD", help="only participants whose label holds one of these")
    made.add_argument("--cap", type=float, default=900, help="seconds after which a fit is given up")
    made.add_argument("--seed", type=int, default=0, help="of the starting values")
    made.add_argument("--spark", action="store_true", help="time Spark MLlib too (part scaling; needs Java)")
    made.add_argument("--long", action="store_true", help="all rounds of what takes very long, too")
    made.add_argument("--render", action="store_true", help="only write the page")
    return made


def main() -> None:
    given = parser().parse_args(namespace=Options())
    names = given.parts or report.PARTS
    if wrong := set(names) - set(report.PARTS):
        parser().error(f"no part {', '.join(sorted(wrong))}; choose from {', '.join(report.PARTS)}")
    kept, trial = data.ROOT / "bench" / "results", data.CACHE / "trial"
    folder = trial if given.shape and given.shape != "ml-20m" else kept
    folder.mkdir(parents=True, exist_ok=True)
    for name in () if given.render else names:
        print(f"{name}:", flush=True)
        path = folder / f"{name}.json"
        before = json.loads(path.read_text())["results"] if path.exists() else None
        path.write_text(json.dumps(measured(name, given, before), indent=1) + "\n")
    page = data.ROOT / "docs" / "benchmarks.md" if folder == kept else folder / "benchmarks.md"
    report.write(folder, page)
    print(f"written: {page.relative_to(data.ROOT)}")


def measured(name: str, given: Options, before: dict[str, Any] | None) -> dict[str, Any]:
    """Run one part; its results with the circumstances. Some parts keep what an earlier run measured besides."""
    part = importlib.import_module(f"parts.{name}")
    defaults = {"shape": part.SHAPE, "factors": part.FACTORS, "rounds": part.ROUNDS}
    options = Options(**vars(given))
    for key, value in defaults.items():
        if getattr(options, key) is None:
            setattr(options, key, value)
    begun = time.perf_counter()
    results = part.run(options)
    if before and hasattr(part, "merge"):
        results = part.merge(before, results)
    return {
        "part": name,
        **harness.circumstances(begun, part.WORKERS),
        "settings": {key: getattr(options, key) for key in ("shape", "factors", "rounds", "threads", "cap")},
        "source": data.source(),
        "results": results,
    }


if __name__ == "__main__":
    main()
