"""Time to the same objective

Seconds until the objective is within 0.1 % of a reference. The reference is what 15 exact epochs in double precision
reach (Alsatian, plain: `precision="float64", solver="cholesky", accelerate=False`); it is computed once.

All participants minimize one objective, which the bench evaluates in float64 from everyone's factors. The implicit one
is that of Hu, Koren and Volinsky with alpha 2 and reg 20. The explicit one has biases, and reg 0.1 times the counts
(reg_exponent = 1). Each library starts from its own starting values. The head of each file in `bench/peers` says how
the objective is written in that library. The check below shows that all converge to one value on a small set.

The seconds are those of the epochs alone. The clock stops while the objective is evaluated. Bringing the data into a
library's own form has a column of its own. For implicit and irspack that column includes the transposition and the
starting values. Alsatian's epochs include its starting values, and cmfrec's fits their indexing. cmfrec has no
callback, so it is fitted anew with more and more epochs.

"Whole call" is the time that a user waits for the fit. The first round finds the number of epochs needed; the others
repeat that number. Alsatian's default ends with an exact solve of the users, which its seconds include. Memory is the
peak of resident memory in the last round minus what was resident before the own form was built.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import alsatian as al
from bench import datasets, suite_runner
from bench.harness import Participant, failure, rounds_of, run_job, spread, successful
from bench.results_page import Page, figure, gigabytes, interval

DURATION = "hours"
SHAPE, FACTORS, ROUNDS = "ml-20m", [64, 128, 256], 3
EXPLICIT_FACTORS = 64
WORKERS = ("implicit", "irspack", "cmfrec")
TOLERANCE, EPOCHS, EXACT_EPOCHS = 0.001, 40, 15
FORMS: dict[str, dict[str, Any]] = {
    "implicit": {"form": "implicit", "alpha": 2.0, "reg": 20.0, "reg_exponent": 0.0},
    "explicit": {"form": "explicit", "alpha": 0.0, "reg": 0.1, "reg_exponent": 1.0},
}
CMFREC_CG = "its implicit CG minimizes another objective than its Cholesky, see bench/peers/cmfrec.py"
EXACT = {"precision": "float64", "solver": "cholesky", "accelerate": False}
NOT_HERE = {"Spark MLlib": "always multiplies reg by the counts, in its implicit form too, and has no biases: it cannot"
            " express either objective"}  # fmt: skip


def participants(form: str) -> list[Participant]:
    """Alsatian as it comes and with each solver that it has, and the peers with each of theirs."""
    model = al.ImplicitALS if form == "implicit" else al.ExplicitALS
    alsatian = [Participant("Alsatian, default", "alsatian")]
    names = [name for name in model.param("solver").choices if name != "auto"]  # which is the default
    alsatian += [Participant(f"Alsatian, {name}", "alsatian", {"solver": name}) for name in names]
    alsatian += [Participant("Alsatian, plain", "alsatian", {"solver": "cholesky", "accelerate": False})]
    cmfrec = [
        Participant("cmfrec, CG", "cmfrec", {"use_cg": True}, differs=CMFREC_CG if form == "implicit" else ""),
        Participant("cmfrec, Cholesky", "cmfrec", {"use_cg": False}, 1),
    ]
    if form == "explicit":
        return alsatian + cmfrec
    irspack = [Participant(f"irspack, {name}", "irspack", {"solver": name}) for name in ("CHOLESKY", "CG", "IALSPP")]
    implicit = [
        Participant("implicit, CG", "implicit"),
        Participant("implicit, Cholesky", "implicit", {"use_cg": False}),
    ]
    return alsatian + implicit + irspack + cmfrec


def run(options: Any) -> dict[str, Any]:
    tables = [_table(options, "implicit", factors) for factors in options.factors]
    if EXPLICIT_FACTORS in options.factors or options.shape != SHAPE:
        tables.append(_table(options, "explicit", min(options.factors)))
    return {"check": _check(options), "tables": tables, "not_here": NOT_HERE}


def _job(folder: Path, form: str, factors: int, options: Any) -> dict[str, Any]:
    settings = {
        "action": "fit",
        "data": str(folder),
        "factors": factors,
        "threads": options.threads,
        "seed": options.seed,
    }
    return FORMS[form] | settings | {"epochs": EPOCHS, "target": None, "tolerance": TOLERANCE, "cap": options.cap}


def _reference(folder: Path, form: str, factors: int, options: Any) -> dict[str, Any]:
    """Return what the exact epochs reach, from .bench/references or computed now."""
    settings = "-".join(f"{key}{value:g}" for key, value in FORMS[form].items() if key != "form")
    path = datasets.CACHE / "references" / f"{folder.name}-{form}-{factors}-{settings}.json"
    if not path.exists():
        print(f"  reference: {EXACT_EPOCHS} exact epochs, {form}, {factors} factors ...", flush=True)
        job = _job(folder, form, factors, options) | {"epochs": EXACT_EPOCHS, "cap": 1e9, "options": EXACT}
        result = run_job("alsatian", job)
        if "failed" in result:
            raise SystemExit(f"the reference failed: {result['failed']}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps({key: result[key] for key in ("objective", "reported_objective", "course")}, indent=1)
        )
    return json.loads(path.read_text())  # type: ignore[no-any-return]


def _table(options: Any, form: str, factors: int) -> dict[str, Any]:
    folder = datasets.synthetic_folder(options.shape)
    target = _reference(folder, form, factors, options)["objective"]
    print(f" {form}, {factors} factors, to {target * (1 + TOLERANCE):.6g}:", flush=True)

    def job(participant: Participant, before: list[Any]) -> dict[str, Any] | None:
        common = _job(folder, form, factors, options) | {"options": participant.options}
        if participant.differs:
            return common | {"epochs": EXACT_EPOCHS}
        if not before:
            return common | {"target": target}
        if not before[0]["reached"]:
            return None
        return common | {"epochs": before[0]["epochs"]}  # as many as the first round needed

    selected = options.selected(participants(form))
    if options.long:
        selected = [dataclasses.replace(participant, rounds=None) for participant in selected]
    runs = rounds_of(selected, options.rounds, job)
    first = successful(runs.get("Alsatian, default", []))
    rows = [_row(participant, runs[participant.label], first, target) for participant in selected]
    return {"form": form, "factors": factors, "target": target, "rounds": options.rounds, "rows": rows}


def merge(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Keep the tables of an earlier run that this one did not make again: each takes long."""
    measured = {(table["form"], table["factors"]) for table in now["tables"]}
    kept = [table for table in before["tables"] if (table["form"], table["factors"]) not in measured]
    order = sorted([*kept, *now["tables"]], key=lambda table: (table["form"] != "implicit", table["factors"]))
    return now | {"tables": order}


def _row(participant: Participant, runs: list[Any], first: list[Any], target: float) -> dict[str, Any]:
    done = successful(runs)
    if not done:
        return {"label": participant.label, "failed": failure(runs)}
    ratios = [run["seconds"] / base["seconds"] for run, base in zip(done, first, strict=False)]
    reported = done[-1]["reported_objective"]
    call = "seconds" if participant.worker == "cmfrec" else "call_seconds"  # cmfrec's call is its search
    return {
        "label": participant.label,
        "failed": failure(runs),
        "differs": participant.differs,
        "reached": done[0]["reached"],
        "epochs": done[0]["epochs"],
        "seconds": spread(run["seconds"] for run in done),
        "ratio": spread(ratios),
        "call_seconds": spread(run[call] for run in done[1:] or done),
        "build_seconds": spread(run["build_seconds"] for run in done),
        "peak_bytes": done[-1]["peak_bytes"] if len(done) > 1 else None,  # the first round's holds evaluating
        "excess": done[-1]["objective"] / target - 1,
        "objective_difference": abs(reported / done[-1]["objective"] - 1) if reported else None,
        "course": [[epochs, round(s, 3), value / target - 1] for epochs, s, value in done[0]["course"] if value],
    }


def _check(options: Any) -> list[dict[str, Any]]:
    """Many epochs on a small set: whoever has the same objective comes to the same value."""
    folder, rows = datasets.synthetic_folder("tiny"), []
    for form, reg in (("implicit", 5.0), ("explicit", 0.1)):
        job = _job(folder, form, 8, options) | {"epochs": 200, "cap": 1e9, "reg": reg}
        exact = run_job("alsatian", job | {"options": EXACT})["objective"]
        for participant in participants(form):
            result = run_job(participant.worker, job | {"options": participant.options})
            differs = None if "failed" in result else result["objective"] / exact - 1
            why = result.get("failed") or participant.differs
            rows.append({"label": participant.label, "form": form, "difference": differs, "why": why})
    return rows


def render(results: dict[str, Any], page: Page) -> None:
    for table in results["tables"]:
        rounds = "one round" if table["rounds"] == 1 else f"{table['rounds']} rounds"
        page.text(f"### {table['form'].capitalize()}, {table['factors']} factors ({rounds})")
        page.table(
            ["who", "epochs", "seconds", "beside Alsatian's default", "whole call, s", "own form, s", "memory, GB",
             "above the reference"],
            [_cells(row) for row in table["rows"]],
        )  # fmt: skip
        name = f"solvers-{table['form']}-{table['factors']}"
        with figure(page, name, f"{table['form'].capitalize()}, {table['factors']} factors: objective by time") as axes:
            for row in table["rows"]:
                points = [(s, max(excess, 0) + 1e-5) for _, s, excess in row.get("course", [])]
                if points:
                    axes.plot(*zip(*points, strict=True), marker=".", label=row["label"], linewidth=1)
            axes.axhline(TOLERANCE, color="grey", linewidth=0.8, linestyle=":")
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xlabel("seconds of epochs")
            axes.set_ylabel("share above the reference")
            axes.legend(fontsize=7)
    differences = [
        row["objective_difference"]
        for table in results["tables"]
        for row in table["rows"]
        if row.get("objective_difference")
    ]
    if differences:
        page.text(
            f"The objective that Alsatian reports itself differs from the bench's by at most {max(differences):.0e}."
        )
    for name, reason in results["not_here"].items():
        page.text(f"Not in the tables: {name}, which {reason}.")
    page.text("### The check of the mappings")
    page.text("200 epochs on a tiny set: how far everyone's objective is from that of the exact solve.")
    page.table(
        ["who", "form", "difference", ""],
        [
            [r["label"], r["form"], "-" if r["difference"] is None else f"{100 * r['difference']:+.4f}%", r["why"]]
            for r in results["check"]
        ],
    )


def _cells(row: dict[str, Any]) -> list[str]:
    if "seconds" not in row:
        return [row["label"], *["-"] * 6, str(row["failed"])]
    reached = "" if row["reached"] else "not reached in "
    remark = row["failed"] or row["differs"]
    return [
        row["label"],
        str(row["epochs"]),
        reached + interval(row["seconds"]),
        interval(row["ratio"], unit="x", digits=2) if row["reached"] else "-",
        interval(row["call_seconds"]),
        interval(row["build_seconds"]),
        gigabytes(row["peak_bytes"]),
        f"{100 * row['excess']:+.3f}%" + (f" ({remark})" if remark else ""),
    ]


def main(arguments: Sequence[str]) -> None:
    suite_runner.main(__name__, __doc__, arguments)
