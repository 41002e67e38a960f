"""The accuracy of all models, beside other libraries.

    python -m bench accuracy                          # everything: about 20 minutes
    python -m bench accuracy --only LensKit "EASE("   # only the models whose label contains one of these
    python -m bench accuracy --render                 # only write the page anew from the results

Writes bench/results/accuracy.json and docs/accuracy.md. Needs MovieLens 100K, ../shared/data/ml-100k.tar.gz; the models
of the table are in `bench/accuracy_models.py`.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import alsatian as al
from alsatian import metrics, split
from bench import accuracy_page, datasets, harness
from bench.accuracy_models import MODELS, ComparedModel
from bench.programs import argument_parser

RESULTS, PAGE = harness.RESULTS / "accuracy.json", datasets.ROOT / "docs" / "accuracy.md"
DURATION = "20 minutes"
N, HELD_OUT, SHARE, SEED = 10, 10, 0.2, 0
WORKERS = ("surprise", "implicit", "irspack", "lenskit")


class Failed(Exception):
    """A participant predicts nothing; the message says why."""


class Evaluator:
    """The splits, and how a model is measured on them."""

    def __init__(self, folder: Path, threads: int) -> None:
        self.threads = threads
        self.folds = split.movielens_folds(folder)
        self.ratings = split.per_user(al.read(folder), HELD_OUT, SEED)
        self.likes = self.ratings.binarize()

    def row(self, model: ComparedModel) -> dict[str, Any]:
        """Return the cells of a line of the table."""
        row: dict[str, Any] = {"label": model.label, "failed": None}
        try:
            row |= self.predictions(model) if model.learns == "ratings" else {}
            return {**self.lists(model), **row}
        except Failed as error:
            return row | {"failed": str(error)}

    def predictions(self, model: ComparedModel) -> dict[str, Any]:
        """Return the mean errors over the folds, clipped to the scale, and the median time of a fit."""
        chosen, errors, seconds = [], [], []
        for fold in self.folds:
            settings = self.searched(model, fold, "values")
            predicted, times = self.run(model, [settings], fold, "values")
            chosen.append(settings)
            errors.append(value_metrics(predicted[0], fold))
            seconds.append(times[0])
        rmse, mae = np.mean(errors, axis=0)
        return {"rmse": rmse, "mae": mae, "seconds": median(seconds), "settings": chosen}

    def lists(self, model: ComparedModel) -> dict[str, Any]:
        """Return the measures of lists of ten. A model of ratings has the settings found for them."""
        parts = self.likes if model.learns == "likes" else self.ratings
        output = "lists" if model.learns == "likes" else "values"
        settings = self.searched(model, parts, output)
        best, seconds = self.run(model, [settings], parts, "lists")
        return {**list_metrics(best[0], parts), "seconds": seconds[0], "settings": [settings]}

    def searched(self, model: ComparedModel, parts: al.Split, output: str) -> dict[str, Any]:
        """Return the model's settings; those of its grid as they do best on a part held out of the training part."""
        if not model.grid:
            return model.settings
        inner = self.validation(parts.train, output)
        answers, _ = self.run(model, model.candidates, inner, output)
        if output == "values":
            losses = [value_metrics(answer, inner)[0] for answer in answers]
        else:
            losses = [-list_metrics(answer, inner)["ndcg"] for answer in answers]
        return model.candidates[int(np.argmin(losses))]

    def validation(self, train: al.Interactions, output: str) -> al.Split:
        if output == "lists":
            return split.per_user(train, HELD_OUT, SEED + 1)
        return split.random(train, SHARE, SEED + 1)

    def run(
        self, model: ComparedModel, settings: list[dict[str, Any]], parts: al.Split, output: str
    ) -> tuple[Any, Any]:
        """Fit on a training part with each of some settings; return predictions or lists, and the seconds of the fits.

        Everyone gets rows numbered without gaps; the lists are translated back to those of the parts.
        """
        train, held_out = parts.train, parts.held_out
        with tempfile.TemporaryDirectory() as name:
            users, items = datasets.save(Path(name), train.users, train.items, train.values)
            np.save(Path(name, "held_out_users.npy"), numbered(users, held_out.users))
            np.save(Path(name, "held_out_items.npy"), numbered(items, held_out.items))
            job = {
                "action": "accuracy",
                "data": name,
                "model": model.model,
                "settings": settings,
                "output": output,
                "n": N,
            }
            result = harness.run_job(model.worker, job | {"seed": SEED, "threads": self.threads})
            if "failed" in result:
                raise Failed(result["failed"])
            answers = np.load(Path(name, "answers.npy"))
        if output == "values":
            return answers, result["seconds"]
        lists = np.full((len(settings), train.by_user.n_rows, N), -1, np.int32)
        lists[:, users] = np.where(answers >= 0, items[answers], -1)
        return lists, result["seconds"]


def numbered(known: Any, rows: Any) -> Any:
    """Return the places of rows among the known ones; len(known) for an unknown one."""
    at = np.searchsorted(known, rows).clip(max=len(known) - 1)
    return np.where(known[at] == rows, at, len(known))


def value_metrics(predicted: Any, parts: al.Split) -> tuple[float, float]:
    """Return RMSE and MAE; where a library predicts nothing, the mean of the training part stands for it."""
    values = np.clip(np.where(np.isfinite(predicted), predicted, parts.train.mean), 1, 5)
    actual = parts.held_out.values
    return metrics.rmse(values, actual), metrics.mae(values, actual)


def list_metrics(best: Any, parts: al.Split) -> dict[str, float]:
    """Return the measures of lists (users, n), and the standard error of NDCG over the users."""
    held_out, train = parts.held_out.by_user, parts.train
    users = np.flatnonzero(held_out.counts)
    best, held_out = best[users], held_out.take(users)
    hits, relevant = metrics.hits(best, held_out), held_out.counts
    ndcg = metrics.ndcg(hits, relevant, N)
    return {
        "ndcg": float(ndcg.mean()),
        "error": float(ndcg.std() / np.sqrt(len(ndcg))),
        "recall": float(metrics.recall(hits, relevant, N).mean()),
        "coverage": metrics.coverage(best, len(train.item_ids)),
        "novelty": float(np.nanmean(metrics.novelty(best, train.item_counts, len(train.user_ids)))),
    }


def measure(models: list[ComparedModel], evaluator: Evaluator) -> None:
    """Measure some models; write the results after each. The rows of other models stay."""
    start = time.perf_counter()
    rows = {row["label"]: row for row in recorded().get("rows", [])}
    for model in models:
        started = time.perf_counter()
        rows[model.label] = row = evaluator.row(model)
        outcome = row["failed"] or ", ".join(f"{name} {row[name]:.4f}" for name in ("rmse", "ndcg") if name in row)
        print(f"  {model.label:60} {outcome}  ({time.perf_counter() - started:.0f} s)", flush=True)
        known = {"threads": evaluator.threads, "rows": [rows[model.label] for model in MODELS if model.label in rows]}
        RESULTS.write_text(json.dumps(harness.circumstances(start, WORKERS) | known, indent=1) + "\n")


def recorded() -> dict[str, Any]:
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def main(arguments: Sequence[str]) -> None:
    parser = argument_parser(__name__, __doc__)
    parser.add_argument(
        "--only", nargs="+", default=[""], metavar="WORD", help="only models whose label contains one of these"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--render", action="store_true", help="only write the page")
    options = parser.parse_args(arguments)
    if not options.render:
        folder = datasets.movielens()
        if folder is None:
            parser.error("MovieLens 100K is not here: ../shared/data/ml-100k.tar.gz")
        models = [model for model in MODELS if any(word.lower() in model.label.lower() for word in options.only)]
        measure(models, Evaluator(folder, options.threads))
    accuracy_page.write(recorded(), PAGE)
    print(f"written: {PAGE.relative_to(datasets.ROOT)}")
