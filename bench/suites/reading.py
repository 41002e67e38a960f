"""Reading

Two tasks are timed. The first starts from three columns in memory, sorted by user or shuffled, and ends with both
orders of compressed rows. The second starts from a CSV file with a header, sorted by user, and ends with numbered ids
and arrays.

In the second, Alsatian checks every row and ends with compressed rows by user. It builds the order by item on first
use, which is timed apart. DuckDB, polars and pandas parse the file, number both id columns in ascending order, and end
with three arrays. Memory is the peak of resident memory minus what was resident after the imports.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench import datasets, suite_runner
from bench.harness import Participant, failure, rounds_of, spread, successful
from bench.results_page import Page, figure, gigabytes, interval

DURATION = "10 minutes"
SHAPE, FACTORS, ROUNDS = "ml-20m", [64], 3
WORKERS = ("dataframes",)
BUILD = "Alsatian, from columns"
SHUFFLED = f"{BUILD}, shuffled"


def run(options: Any) -> dict[str, Any]:
    folder, path = datasets.synthetic_folder(options.shape), datasets.csv(options.shape)
    everyone = [
        Participant(BUILD, "alsatian", {"action": "build"}),
        Participant(SHUFFLED, "alsatian", {"action": "build", "shuffled": True}),
        Participant("Alsatian, from CSV", "alsatian"),
        Participant("DuckDB", "duckdb"),
        Participant("polars", "dataframes", {"with": "polars"}),
        Participant("pandas", "dataframes", {"with": "pandas"}),
    ]
    selected = options.selected(everyone)

    def job(participant: Participant, before: list[Any]) -> dict[str, Any]:
        return {
            "action": "read",
            "data": str(folder),
            "path": str(path),
            "threads": options.threads,
        } | participant.options

    runs = rounds_of(selected, options.rounds, job)
    base = successful(runs.get("DuckDB", []))
    rows = []
    for participant in selected:
        done = successful(runs[participant.label])
        ratios = (run["seconds"] / other["seconds"] for run, other in zip(done, base, strict=False))
        row: dict[str, Any] = {"label": participant.label, "failed": failure(runs[participant.label])}
        for name in ("seconds", "parse", "transpose", "peak_bytes"):
            row[name] = spread(run[name] for run in done if name in run)
        row["ratio"] = None if participant.label in (BUILD, SHUFFLED) else spread(ratios)
        rows.append(row | {"rows": done[0]["rows"] if done else None})
    return {"bytes": path.stat().st_size, "rows": rows}


def render(results: dict[str, Any], page: Page) -> None:
    page.text(f"The file has {results['bytes'] / 1e6:,.0f} MB.")
    table = []
    for row in results["rows"]:
        apart = [
            f"{name} {interval(row[key])}"
            for key, name in (("parse", "parsing"), ("transpose", "order by item"))
            if row[key]
        ]
        memory = gigabytes(row["peak_bytes"] and row["peak_bytes"]["median"])
        ratio = interval(row["ratio"], unit="x", digits=2)
        table.append([row["label"], row["failed"] or interval(row["seconds"]), ratio, ", ".join(apart), memory])
    page.table(["who", "seconds", "beside DuckDB", "of it, or apart", "memory, GB"], table)
    with figure(page, "reading", "Reading a CSV file, seconds", height=2.2) as axes:
        kept = [row for row in results["rows"] if row["seconds"]]
        axes.barh([row["label"] for row in kept][::-1], [row["seconds"]["median"] for row in kept][::-1])


def main(arguments: Sequence[str]) -> None:
    suite_runner.main(__name__, __doc__, arguments)
