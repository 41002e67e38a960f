"""Lists of the ten best

Top 10 for all users, seen items left out, from the factors of two epochs. For one user at a time, the figure is the
median of 2,000 calls from Python. "Kernel" is Alsatian without the tables that `recommend` returns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench import datasets, suite_runner
from bench.harness import Participant, failure, rounds_of, spread, successful
from bench.results_page import Page, figure, interval

DURATION = "5 minutes"
SHAPE, FACTORS, ROUNDS = "ml-20m", [64], 3
WORKERS = ("implicit",)
N, CALLS = 10, 2000
COLUMNS = {"all": "all users, s", "kernel": "kernel, s", "single": "one user, ms"}


def run(options: Any) -> dict[str, Any]:
    folder = datasets.synthetic_folder(options.shape)
    selected = options.selected([Participant("Alsatian", "alsatian"), Participant("implicit", "implicit")])

    def job(participant: Participant, before: list[Any]) -> dict[str, Any]:
        settings = {"action": "top_n", "data": str(folder), "n": N, "calls": CALLS, "form": "implicit", "epochs": 2}
        fit = {"factors": options.factors[0], "reg": 20.0, "alpha": 2.0, "seed": 0, "options": {}}
        return settings | fit | {"threads": options.threads}

    runs = rounds_of(selected, options.rounds, job)
    baseline = successful(runs.get("Alsatian", []))
    rows = []
    for participant in selected:
        done = successful(runs[participant.label])
        row: dict[str, Any] = {"label": participant.label, "failed": failure(runs[participant.label])}
        for name in COLUMNS:
            row[name] = spread(run[name] for run in done if name in run)
        for name in ("all", "single"):
            row[f"{name}_ratio"] = spread(run[name] / base[name] for run, base in zip(done, baseline, strict=False))
        rows.append(row)
    return {"factors": options.factors[0], "rows": rows}


def render(results: dict[str, Any], page: Page) -> None:
    header = ["who", *COLUMNS.values(), "all users, beside Alsatian", "one user, beside Alsatian"]
    table = []
    for row in results["rows"]:
        cells = [interval(row["all"]), interval(row["kernel"]), interval(row["single"], scale=1000, digits=3)]
        cells += [interval(row[f"{name}_ratio"], unit="x", digits=2) for name in ("all", "single")]
        table.append([row["label"], *cells] if not row["failed"] else [row["label"], row["failed"], *["-"] * 4])
    page.table(header, table)
    with figure(page, "topn", "Top 10 for all users, seconds", height=1.6) as axes:
        kept = [row for row in results["rows"] if row["all"]]
        axes.barh([row["label"] for row in kept][::-1], [row["all"]["median"] for row in kept][::-1])


def main(arguments: Sequence[str]) -> None:
    suite_runner.main(__name__, __doc__, arguments)
