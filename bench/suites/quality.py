"""Quality at equal settings, on real data

**Ranking.** MovieLens 100K, ten ratings of each user held out at random, all ratings as likes of the value 1. All
minimize one objective: Hu, Koren and Volinsky with alpha 2, reg 5 and 15 epochs. NDCG@10 leaves out seen items; one
evaluator (`alsatian.metrics.ndcg`) computes it from everyone's factors. Each seed splits and starts anew; the table
shows the mean with (smallest to largest).

**Ratings.** The official folds u1 to u5. RMSE is computed with predictions clipped to 1..5. Unknown users or items are
predicted by the mean and the other side's bias. Alsatian and cmfrec have equal settings (reg times the counts, 15
epochs). The defaults of Alsatian and Surprise are shown for comparison.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import alsatian as al
from alsatian import metrics
from bench import datasets, suite_runner
from bench.harness import Participant, run_job
from bench.objective import Factors, scores
from bench.results_page import Page, interval
from bench.suites.solvers import participants

DURATION = "10 minutes"
SHAPE, FACTORS, ROUNDS = "ml-100k", [32, 64], 5
WORKERS = ("implicit", "irspack", "cmfrec", "surprise")
EPOCHS, N, HELD_OUT = 15, 10, 10
EQUAL = {
    "implicit": {"alpha": 2.0, "reg": 5.0, "reg_exponent": 0.0},
    "explicit": {"alpha": 0.0, "reg": 0.1, "reg_exponent": 1.0},
}
ALONE = [  # at settings of their own, beside the equal ones
    Participant("Alsatian, its own reg and reg_exponent", "alsatian", {"special": {"reg": 0.8, "reg_exponent": 0.6}}),
    Participant("Surprise SVD, defaults", "surprise"),
]


def run(options: Any) -> dict[str, Any]:
    folder = datasets.movielens()
    if folder is None:
        return {"absent": "the real data, ../shared/data/ml-100k.tar.gz, is not on this machine"}
    ranking = [row for factors in options.factors for row in _ranking(folder, factors, options)]
    return {"ranking": ranking, "rating": _rating(folder, max(options.factors), options)}


def _fitted(participant: Participant, form: str, factors: int, seed: int, train: Path, threads: int) -> Factors | str:
    """Return what a participant learns, or why it does not."""
    settings = dict(participant.options)
    special = settings.pop("special", {})
    target = train / "factors.npz"
    job = EQUAL[form] | {"action": "fit", "form": form, "factors": factors, "seed": seed, "data": str(train)} | special
    course = {"epochs": EPOCHS, "target": None, "tolerance": 0, "cap": 1e9, "evaluate": False, "save": str(target)}
    result = run_job(participant.worker, job | course | {"threads": threads, "options": settings})
    if "failed" in result:
        return str(result["failed"])
    with np.load(target) as learned:
        return Factors(**learned)


def _measured(
    selected: list[Participant], cases: list[Any], judge: Callable[[Participant, Any], float | str]
) -> list[dict[str, Any]]:
    rows = []
    for participant in selected:
        figures: list[float] = []
        row: dict[str, Any] = {"label": participant.label, "failed": None, "differs": participant.differs}
        for case in cases:
            value = judge(participant, case)
            if isinstance(value, str):
                row["failed"] = value
                break
            figures.append(value)
        if figures:
            row["value"] = {
                "median": float(np.mean(figures)),
                "min": min(figures),
                "max": max(figures),
            }  # the mean, here
        print(f"  {participant.label:32} {row['failed'] or interval(row['value'], digits=4)}", flush=True)
        rows.append(row)
    return rows


def _ranking(folder: Path, factors: int, options: Any) -> list[dict[str, Any]]:
    likes = al.read(folder).binarize()
    splits = [al.split.per_user(likes, HELD_OUT, seed) for seed in range(options.rounds)]
    print(f" ranking, {factors} factors:", flush=True)

    def judge(participant: Participant, seed: int) -> float | str:
        train, held_out = splits[seed].train, splits[seed].held_out.by_user
        with tempfile.TemporaryDirectory() as name:
            users, items = datasets.save(Path(name), train.users, train.items, train.values)
            learned = _fitted(participant, "implicit", factors, seed, Path(name), options.threads)
        if isinstance(learned, str):
            return learned
        best = _best(learned, users, items, train)
        return float(np.nanmean(metrics.ndcg(metrics.hits(best, held_out), held_out.counts)))

    selected = options.selected(participants("implicit"))
    return [row | {"factors": factors} for row in _measured(selected, list(range(options.rounds)), judge)]


def _best(learned: Factors, users: Any, items: Any, train: Any) -> Any:
    """Return the N best items of each user by the product of factors; what was seen is left out."""
    table = np.full((train.by_user.n_rows, train.by_user.n_columns), -np.inf)
    table[np.ix_(users, items)] = learned.users.astype(np.float64) @ learned.items.astype(np.float64).T
    table[train.users, train.items] = -np.inf
    return np.argsort(-table, axis=1, kind="stable")[:, :N].astype(np.int32)


def _rating(folder: Path, factors: int, options: Any) -> list[dict[str, Any]]:
    print(f" ratings, {factors} factors:", flush=True)

    def judge(participant: Participant, fold: int) -> float | str:
        train, test = (np.loadtxt(folder / f"u{fold}.{part}") for part in ("base", "test"))
        train = train[np.lexsort((train[:, 1], train[:, 0]))]
        with tempfile.TemporaryDirectory() as name:
            users, items = datasets.save(Path(name), *train[:, :3].T)
            learned = _fitted(participant, "explicit", factors, 0, Path(name), options.threads)
        if isinstance(learned, str):
            return learned
        predicted = np.clip(scores(_with_unknown(learned), *_rows((users, items), test)), 1, 5)
        return metrics.rmse(predicted, test[:, 2])

    selected = options.selected([*participants("explicit"), *ALONE])
    defaults = {participant.label: "its default" for participant in ALONE if participant.worker == "surprise"}
    return [
        row | {"factors": defaults.get(row["label"], factors)} for row in _measured(selected, [1, 2, 3, 4, 5], judge)
    ]


def _rows(known: tuple[Any, Any], test: Any) -> list[Any]:
    """Number the ids of a test part; -1, the last row of `_with_unknown`, is an unknown one."""
    rows = []
    for ids, numbers in zip(known, test[:, :2].T, strict=True):
        at = np.searchsorted(ids, numbers).clip(max=len(ids) - 1)
        rows.append(np.where(ids[at] == numbers, at, -1))
    return rows


def _with_unknown(learned: Factors) -> Factors:
    """Append a user and an item of whom nothing is known."""

    def longer(side: Any) -> Any:
        return np.concatenate([side, np.zeros_like(side[:1])])

    return Factors(*map(longer, learned[:4]), float(learned.mean))


def render(results: dict[str, Any], page: Page) -> None:
    if "absent" in results:
        page.text(f"Not measured: {results['absent']}.")
        return
    for name, title, measure in (("ranking", "Ranking", "NDCG@10"), ("rating", "Ratings", "RMSE")):
        page.text(f"### {title}")
        cells = [
            [r["label"], r["factors"], interval(r.get("value"), digits=4), r["failed"] or r["differs"]]
            for r in results[name]
        ]
        page.table(["who", "factors", measure, ""], cells)


def main(arguments: Sequence[str]) -> None:
    suite_runner.main(__name__, __doc__, arguments)
