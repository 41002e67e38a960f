"""An epoch of gradient descent

Seconds of an epoch of `BiasedMF`, biases included, by optimizer, and with the implicit term of SVD++; each epoch ends
with the exact objective over the data. LIBMF, compiled with AVX, takes 0.45 s on this shape with 64 factors and two
threads (a figure told, not measured here), without biases, its error summed on the way, and its threads' steps race.
"""

from __future__ import annotations

from typing import Any

import data
from harness import Participant, failure, good, rounds_of, spread
from report import Page, figure, interval

SHAPE, FACTORS, ROUNDS = "ml-20m", [64], 3
WORKERS: tuple[str, ...] = ()
EPOCHS = 6
KINDS: dict[str, dict[str, Any]] = {
    "SGD": {},
    "momentum": {"optimizer": "momentum", "lr": 0.003},
    "Adam": {"optimizer": "adam", "lr": 0.003},
    "SVD++": {"implicit_terms": True},
}


def run(options: Any) -> dict[str, Any]:
    folder = data.shaped(options.shape)
    asked = options.asked(Participant(f"Alsatian, {kind}", "alsatian", given) for kind, given in KINDS.items())

    def job(one: Participant, before: list[Any]) -> dict[str, Any]:
        settings = {"action": "descend", "data": str(folder), "factors": options.factors[0], "epochs": EPOCHS}
        return settings | {"threads": options.threads, "options": one.options}

    runs = rounds_of(asked, options.rounds, job)
    rows = []
    for one in asked:
        done = good(runs[one.label])
        seconds = spread(epoch for run in done for epoch in run["epochs"])
        first = spread(run["first"] for run in done)
        rows.append({"label": one.label, "seconds": seconds, "first": first, "failed": failure(runs[one.label])})
        print(f"  {one.label:32} {rows[-1]['failed'] or interval(seconds)} s an epoch", flush=True)
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
