"""Writing docs/accuracy.md from bench/results/accuracy.json: the table, and the text around it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.accuracy_models import MODELS, ComparedModel
from bench.results_page import Page, circumstances

HEAD = """# Accuracy

`python -m bench accuracy` writes this page from `bench/results/accuracy.json`; do not edit it. It compares all models
on MovieLens 100K with those of Surprise, implicit, irspack and LensKit. Each library runs in a process and an
environment of its own, on the same splits. All have {threads} threads but Surprise, which has one. One evaluator scores
them all.

**Ratings.** The official folds u1 to u5: mean RMSE and MAE, predictions clipped to 1..5. Each library predicts users
and items that a training part lacks in its own way.

**Lists.** Ten ratings of each user are held out at random (seed 0). Lists have ten items and leave out what the user
has in the training part. Models of likes see which items a user rated, not how. Models of ratings rank by the rating
that they predict. All held-out items are relevant, whatever their rating. The standard error of NDCG@10 over the users
is at most {error:.3f}. Coverage is the share of the {items:,} items that are in any list. Novelty is the mean
self-information of the listed items, -log2(share of users who have it), in bits.

**Seconds a fit.** Models of ratings: the median of the folds. Models of likes: the one fit. The data is already in the
library's own form.

**Settings.** The constructor's defaults, except for what is shown. "Searched" settings come from a grid (below the
table), chosen on a validation part of the training part. That part is a random fifth of each fold, scored by RMSE, or
ten ratings a user, scored by NDCG@10. No setting was chosen on a test part.

Alsatian's defaults come from validation parts of MovieLens data (`python -m bench defaults`). These are ml-latest-small
and the training folds u1 and u3, which hold ratings that other folds test. So the defaults suit this data better than
those of libraries made for other data. The searched lines make up for that. "-" means not applicable: a model of likes
predicts no rating.
"""
ITEMS = 1682
MEASURES = {
    "rmse": ("RMSE", "{:.3f}"), "mae": ("MAE", "{:.3f}"), "ndcg": ("NDCG@10", "{:.3f}"),
    "recall": ("recall@10", "{:.3f}"), "coverage": ("coverage", "{:.2f}"), "novelty": ("novelty, bits", "{:.2f}"),
    "seconds": ("seconds a fit", "{:.2f}"),
}  # fmt: skip
RANKING = """## Predicting ratings is not ranking

`ExplicitALS()` predicts ratings well, and its lists reach an NDCG@10 of {explicit:.3f}. `ImplicitALS()` predicts no
rating at all, and its lists reach {implicit:.3f}: {times:.0f} times as much, on the same data and split. The best list
by predicted ratings, that of {best}, reaches {most:.3f}. Popularity, the same for all users, reaches {popular:.3f}.

A model of ratings learns how users rate the items they chose. Its highest predictions go to obscure items with few,
high ratings (novelty {bits_explicit:.1f} bits, compared with {bits_implicit:.1f}). It never learns which items users
choose. For lists train a model of likes. `alsatian train` says so when the model that it fits predicts ratings.
"""


Line = tuple[ComparedModel, dict[str, Any]]  # who, and what was measured


def write(results: dict[str, Any], target: Path) -> None:
    rows = {row["label"]: row for row in results["rows"]}
    lines = sorted(((model, rows[model.label]) for model in MODELS if model.label in rows), key=_place)
    done = [(model, row) for model, row in lines if not row["failed"]]
    page = Page(target)
    page.text(HEAD.format(items=ITEMS, threads=results["threads"], error=max(row["error"] for _, row in done)))
    header = ["library", "model", "settings", "learns from", *(title for title, _ in MEASURES.values())]
    page.table(header, [_cells(*line) for line in lines])
    page.text("\n".join(["Searched:", "", *(_grid(*line) for line in done if line[0].grid)]))
    page.text(_ranking(done))
    page.text(circumstances(results))
    page.write()


def _place(line: Line) -> tuple[bool, bool, float]:
    """Models of ratings by their error, then models of likes by their NDCG; who failed comes last."""
    _, row = line
    return bool(row["failed"]), "rmse" not in row, row.get("rmse", -row.get("ndcg", 0))


def _cells(model: ComparedModel, row: dict[str, Any]) -> list[str]:
    whose = "searched" if model.grid else "as shown" if model.settings else "defaults"
    name = [model.library, f"`{_model(model, row)}`", whose, model.learns]
    if row["failed"]:
        return [*name, f"failed: {row['failed']}", *["-"] * (len(MEASURES) - 1)]
    return [*name, *(form.format(row[measure]) if measure in row else "-" for measure, (_, form) in MEASURES.items())]


def _model(model: ComparedModel, row: dict[str, Any]) -> str:
    """Return the constructor's call with the settings that most of a model's fits had."""
    settings = row.get("settings") or [model.settings]
    return model.written(max(settings, key=settings.count))


def _grid(model: ComparedModel, row: dict[str, Any]) -> str:
    """Say between which settings was searched, and whether folds disagreed."""
    settings = row["settings"]
    tried = (f"{name} {', '.join(f'{value:g}' for value in values)}" for name, values in model.grid.items())
    others = len(settings) - max(map(settings.count, settings))
    note = f" ({others} of {len(settings)} folds chose others than shown)" if others else ""
    return f"- {model.library} `{model.model}`: {'; '.join(tried)}{note}"


def _ranking(done: list[Line]) -> str:
    rows = {model.label: row for model, row in done}
    names = [f"Alsatian {name}()" for name in ("ExplicitALS", "ImplicitALS", "Popularity")]
    if not rows.keys() >= set(names):
        return ""
    explicit, implicit, popular = (rows[name] for name in names)
    best, most = max((line for line in done if "rmse" in line[1]), key=lambda line: line[1]["ndcg"])
    return RANKING.format(
        explicit=explicit["ndcg"], implicit=implicit["ndcg"], times=implicit["ndcg"] / explicit["ndcg"],
        best=f"{best.library}'s `{_model(best, most)}`", most=most["ndcg"], popular=popular["ndcg"],
        bits_explicit=explicit["novelty"], bits_implicit=implicit["novelty"],
    )  # fmt: skip
