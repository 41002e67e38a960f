"""Measure the accuracy of all models, beside other libraries; write bench/results/accuracy.json and docs/accuracy.md.

    python bench/accuracy.py                          # everything: about 20 minutes
    python bench/accuracy.py --only LensKit "EASE("   # whose label holds one of these; the others' results stay
    python bench/accuracy.py --render                 # only write the page anew from the results

Needs MovieLens 100K, ../shared/data/ml-100k.tar.gz; who stands in the table is told in bench/entrants.py.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import accuracy_page
import alsatian as al
import data
import harness
from alsatian import metrics, split
from entrants import ENTRANTS, Entrant

RESULTS, PAGE = data.ROOT / "bench" / "results" / "accuracy.json", data.ROOT / "docs" / "accuracy.md"
N, HELD_OUT, SHARE, SEED = 10, 10, 0.2, 0
WORKERS = ("surprise", "implicit", "irspack", "lenskit")


class Failed(Exception):
    """A participant gives no answer; the message says why."""


class Bench:
    """The splits, and how an entrant is asked and judged on them."""

    def __init__(self, folder: Path, threads: int) -> None:
        self.threads = threads
        self.folds = split.papers.movielens_folds(folder)
        self.ratings = split.values.per_user(al.read(folder), HELD_OUT, SEED)
        self.likes = self.ratings.likes()

    def row(self, entrant: Entrant) -> dict[str, Any]:
        """Return what stands in an entrant's line of the table."""
        row: dict[str, Any] = {"label": entrant.label, "failed": None}
        try:
            row |= self.predictions(entrant) if entrant.learns == "ratings" else {}
            return {**self.lists(entrant), **row}
        except Failed as error:
            return row | {"failed": str(error)}

    def predictions(self, entrant: Entrant) -> dict[str, Any]:
        """Return the mean errors over the folds, clipped to the scale, and the median time of a fit."""
        found, errors, seconds = [], [], []
        for fold in self.folds:
            settings = self.searched(entrant, fold, "values")
            predicted, times = self.ask(entrant, [settings], fold, "values")
            found.append(settings)
            errors.append(judged_values(predicted[0], fold))
            seconds.append(times[0])
        rmse, mae = np.mean(errors, axis=0)
        return {"rmse": rmse, "mae": mae, "seconds": median(seconds), "settings": found}

    def lists(self, entrant: Entrant) -> dict[str, Any]:
        """Return the measures of lists of ten. A model of ratings has the settings found for them."""
        parts = self.likes if entrant.learns == "likes" else self.ratings
        asks = "lists" if entrant.learns == "likes" else "values"
        settings = self.searched(entrant, parts, asks)
        best, seconds = self.ask(entrant, [settings], parts, "lists")
        return {**judged_lists(best[0], parts), "seconds": seconds[0], "settings": [settings]}

    def searched(self, entrant: Entrant, parts: al.Split, asks: str) -> dict[str, Any]:
        """Return the entrant's settings; those of its grid as they do best on a part held out of the training part."""
        if not entrant.grid:
            return entrant.settings
        inner = self.validation(parts.train, asks)
        answers, _ = self.ask(entrant, entrant.tried, inner, asks)
        if asks == "values":
            losses = [judged_values(answer, inner)[0] for answer in answers]
        else:
            losses = [-judged_lists(answer, inner)["ndcg"] for answer in answers]
        return entrant.tried[int(np.argmin(losses))]

    def validation(self, train: al.Interactions, asks: str) -> al.Split:
        if asks == "lists":
            return split.values.per_user(train, HELD_OUT, SEED + 1)
        return split.values.random(train, SHARE, SEED + 1)

    def ask(self, entrant: Entrant, settings: list[dict[str, Any]], parts: al.Split, asks: str) -> tuple[Any, Any]:
        """Fit on a training part with each of some settings; return predictions or lists, and the seconds of the fits.

        Everyone gets rows numbered without gaps; the lists are translated back to those of the parts.
        """
        train, held_out = parts.train, parts.held_out
        with tempfile.TemporaryDirectory() as name:
            users, items = data.save(Path(name), train.users, train.items, train.values)
            np.save(Path(name, "asked_users.npy"), numbered(users, held_out.users))
            np.save(Path(name, "asked_items.npy"), numbered(items, held_out.items))
            job = {"action": "judge", "data": name, "model": entrant.model, "settings": settings, "asks": asks, "n": N}
            result = harness.run_job(entrant.worker, job | {"seed": SEED, "threads": self.threads})
            if "failed" in result:
                raise Failed(result["failed"])
            answers = np.load(Path(name, "answers.npy"))
        if asks == "values":
            return answers, result["seconds"]
        lists = np.full((len(settings), train.by_user.rows, N), -1, np.int32)
        lists[:, users] = np.where(answers >= 0, items[answers], -1)
        return lists, result["seconds"]


def numbered(known: Any, rows: Any) -> Any:
    """Return the places of rows among the known ones; len(known) for an unknown one."""
    at = np.searchsorted(known, rows).clip(max=len(known) - 1)
    return np.where(known[at] == rows, at, len(known))


def judged_values(predicted: Any, parts: al.Split) -> tuple[float, float]:
    """Return RMSE and MAE; where a library gives no answer, the mean of the training part stands for it."""
    values = np.clip(np.where(np.isfinite(predicted), predicted, parts.train.mean), 1, 5)
    actual = parts.held_out.values
    return metrics.rmse(values, actual), metrics.mae(values, actual)


def judged_lists(best: Any, parts: al.Split) -> dict[str, float]:
    """Return the measures of lists (users, n), and the standard error of NDCG over the users."""
    held_out, train = parts.held_out.by_user, parts.train
    asked = np.flatnonzero(held_out.counts)
    best, held_out = best[asked], held_out.take(asked)
    hits, relevant = metrics.hits(best, held_out), held_out.counts
    ndcg = metrics.ndcg(hits, relevant, N)
    return {
        "ndcg": float(ndcg.mean()),
        "error": float(ndcg.std() / np.sqrt(len(ndcg))),
        "recall": float(metrics.recall(hits, relevant, N).mean()),
        "coverage": metrics.coverage(best, len(train.item_ids)),
        "novelty": float(np.nanmean(metrics.novelty(best, train.item_counts, len(train.user_ids)))),
    }


def measure(asked: list[Entrant], bench: Bench) -> None:
    """Measure some, and keep what is known after each of them: what an earlier run measured of others stays."""
    begun = time.perf_counter()
    rows = {row["label"]: row for row in kept().get("rows", [])}
    for entrant in asked:
        started = time.perf_counter()
        rows[entrant.label] = row = bench.row(entrant)
        told = row["failed"] or ", ".join(f"{name} {row[name]:.4f}" for name in ("rmse", "ndcg") if name in row)
        print(f"  {entrant.label:60} {told}  ({time.perf_counter() - started:.0f} s)", flush=True)
        known = {"threads": bench.threads, "rows": [rows[one.label] for one in ENTRANTS if one.label in rows]}
        RESULTS.write_text(json.dumps(harness.circumstances(begun, WORKERS) | known, indent=1) + "\n")


def kept() -> dict[str, Any]:
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def main() -> None:
    parser = argparse.ArgumentParser("bench/accuracy.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="+", default=[""], metavar="WORD", help="only those whose label holds one")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--render", action="store_true", help="only write the page")
    given = parser.parse_args()
    if not given.render:
        folder = data.movielens()
        if folder is None:
            parser.error("MovieLens 100K is not here: ../shared/data/ml-100k.tar.gz")
        asked = [one for one in ENTRANTS if any(word.lower() in one.label.lower() for word in given.only)]
        measure(asked, Bench(folder, given.threads))
    accuracy_page.write(kept(), PAGE)
    print(f"written: {PAGE.relative_to(data.ROOT)}")


if __name__ == "__main__":
    main()
