"""Neighbors of items

The 20 nearest items of every item by the cosine of their ratings. Alsatian fits
`ItemKNN(similarity="cosine", k=20, shrinkage=0)`. implicit fits CosineRecommender with K=21, because it counts an item
among its own neighbors. "Usual settings" is `ItemKNN()`.

Seconds are those of the whole fit from compressed rows by user. For Alsatian they include the transposition, for
implicit the lengths of the vectors. Memory is the peak during the fit minus what was resident before. The mean
similarity of the neighbors shows that all compute the same thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench import datasets, suite_runner
from bench.harness import Participant, failure, rounds_of, spread, successful
from bench.results_page import Page, figure, gigabytes, interval

DURATION = "5 minutes"
SHAPE, FACTORS, ROUNDS = "ml-20m", [], 3
WORKERS = ("implicit",)
COSINE = {"similarity": "cosine", "k": 20, "shrinkage": 0.0}


def run(options: Any) -> dict[str, Any]:
    folder = datasets.synthetic_folder(options.shape)
    participants = [
        Participant("Alsatian", "alsatian", COSINE),
        Participant("Alsatian, usual settings", "alsatian"),
        Participant("implicit", "implicit", COSINE),
    ]
    selected = options.selected(participants)

    def job(participant: Participant, before: list[Any]) -> dict[str, Any]:
        return {"action": "neighbors", "data": str(folder), "threads": options.threads, "settings": participant.options}

    runs = rounds_of(selected, options.rounds, job)
    baseline = successful(runs.get("Alsatian", []))
    rows = []
    for participant in selected:
        done = successful(runs[participant.label])
        row: dict[str, Any] = {"label": participant.label, "failed": failure(runs[participant.label])}
        for name in ("seconds", "similarity", "peak_bytes"):
            row[name] = spread(run[name] for run in done)
        row["ratio"] = spread(run["seconds"] / base["seconds"] for run, base in zip(done, baseline, strict=False))
        rows.append(row)
    return {"rows": rows}


def render(results: dict[str, Any], page: Page) -> None:
    table = []
    for row in results["rows"]:
        cells = [interval(row["seconds"]), interval(row["ratio"], unit="x", digits=2)]
        cells += [gigabytes((row["peak_bytes"] or {}).get("median")), interval(row["similarity"], digits=5)]
        table.append([row["label"], *cells] if not row["failed"] else [row["label"], row["failed"], *["-"] * 3])
    page.table(["who", "seconds", "beside Alsatian", "memory, GB", "mean similarity"], table)
    with figure(page, "neighbors", "Neighbors of all items, seconds", height=1.8) as axes:
        kept = [row for row in results["rows"] if row["seconds"]]
        axes.barh([row["label"] for row in kept][::-1], [row["seconds"]["median"] for row in kept][::-1])


def main(arguments: Sequence[str]) -> None:
    suite_runner.main(__name__, __doc__, arguments)
