"""An epoch of gradient descent

Seconds of an epoch of `BiasedMF`, biases included, by optimizer, and with the implicit term of SVD++. Each epoch ends
with the exact objective over the data.

For comparison, LIBMF compiled with AVX is reported to take 0.45 s on this shape with 64 factors and two threads. That
was not measured here. LIBMF has no biases, sums its error while it learns, and lets its threads' steps race.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench import datasets, suite_runner
from bench.harness import Participant, failure, rounds_of, spread, successful
from bench.results_page import Page, figure, interval

DURATION = "5 minutes"
SHAPE, FACTORS, ROUNDS = "ml-20m", [64], 3
WORKERS: tuple[str, ...] = ()
EPOCHS = 6
KINDS: dict[str, dict[str, Any]] = {
    "SGD": {},
    "momentum": {"optimizer": "momentum", "learning_rate": 0.003},
    "Adam": {"optimizer": "adam", "learning_rate": 0.003},
    "SVD++": {"svdpp": True},
}


def run(options: Any) -> dict[str, Any]:
    folder = datasets.synthetic_folder(options.shape)
    selected = options.selected(
        Participant(f"Alsatian, {kind}", "alsatian", settings) for kind, settings in KINDS.items()
    )

    def job(participant: Participant, before: list[Any]) -> dict[str, Any]:
        fit = {"action": "descend", "data": str(folder), "factors": options.factors[0], "epochs": EPOCHS}
        return fit | {"threads": options.threads, "options": participant.options}

    runs = rounds_of(selected, options.rounds, job)
    rows = []
    for participant in selected:
        done = successful(runs[participant.label])
        seconds = spread(epoch for run in done for epoch in run["epochs"])
        first = spread(run["first"] for run in done)
        rows.append(
            {"label": participant.label, "seconds": seconds, "first": first, "failed": failure(runs[participant.label])}
        )
        print(f"  {participant.label:32} {rows[-1]['failed'] or interval(seconds)} s an epoch", flush=True)
    return {"factors": options.factors[0], "rows": rows}


def render(results: dict[str, Any], page: Page) -> None:
    page.text(f"{results['factors']} factors; the first epoch with all that comes before it.")
    cells = [
        [row["label"], interval(row["seconds"]), interval(row["first"]), row["failed"] or ""] for row in results["rows"]
    ]
    page.table(["who", "an epoch, s", "the first, s", ""], cells)
    with figure(page, "sgd", "An epoch of gradient descent, seconds", height=2.2) as axes:
        kept = [row for row in results["rows"] if row["seconds"]]
        axes.barh([row["label"] for row in kept][::-1], [row["seconds"]["median"] for row in kept][::-1])


def main(arguments: Sequence[str]) -> None:
    suite_runner.main(__name__, __doc__, arguments)
