"""Writing docs/accuracy.md from bench/results/accuracy.json: the table, and the text around it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.accuracy_models import MODELS, ComparedModel
from bench.results_page import Page, circumstances

HEAD = """# Accuracy

Made by `python -m bench accuracy` from `bench/results/accuracy.json`; do not edit. All models on MovieLens 100K, beside
Surprise, implicit, irspack and LensKit: each library in a process and an environment of its own, on the same splits and
{threads} threads (Surprise has one), scored by one evaluator.

**Ratings.** The official folds u1 to u5: mean RMSE and MAE, predictions clipped to 1..5. A user or item that a training
part lacks is predicted as each library does. **Lists.** Ten ratings of each user held out at random (seed 0); lists of
ten without what the user has in the training part. Models of likes see which items a user rated, not how; models of
ratings rank by the rating that they predict. All held-out items are relevant, whatever their rating. NDCG@10 (its
standard error over the users is at most {error:.3f}) and recall@10; the share of the {items:,} items that are in
any list; novelty, the mean self-information of the listed items, -log2(share of users who have it), in bits.
Seconds of a fit: the median of the folds for models of ratings, the one fit for models of likes, data already in the
library's own form.

**Settings.** The constructor's defaults but for what is shown. "Searched" ones come from a grid (below the table) by
a validation part of the training part: a random fifth of each fold, by RMSE, or ten ratings a user, by NDCG@10. No
setting was chosen by a test part. Alsatian's defaults come from validation parts of MovieLens data
(`python -m bench defaults`: ml-latest-small, and the training folds u1 and u3, which hold ratings that other folds
test), so they suit this data better than the defaults of libraries made for other data: hence the searched lines. "-":
not applicable, as a model of likes predicts no rating.
"""
ITEMS = 1682
MEASURES = {
    "rmse": ("RMSE", "{:.3f}"), "mae": ("MAE", "{:.3f}"), "ndcg": ("NDCG@10", "{:.3f}"),
    "recall": ("recall@10", "{:.3f}"), "coverage": ("coverage", "{:.2f}"), "novelty": ("novelty, bits", "{:.2f}"),
    "seconds": ("seconds a fit", "{:.2f}"),
}  # fmt: skip
RANKING = """## Predicting ratings is not ranking

The lists of `ExplicitALS()`, which predicts ratings well, reach an NDCG@10 of {explicit:.3f}; those of `ImplicitALS()`,
which predicts no rating at all, {implicit:.3f}: {times:.0f} times as much, on the same data and split. The best list by
predicted ratings, that of {best}, reaches {most:.3f}; popularity, the same for all users, {popular:.3f}. A model of
ratings learns how users rate the items they chose, and its highest predictions go to obscure items with few, high
ratings (novelty {bits_explicit:.1f} bits beside {bits_implicit:.1f}); it never learns which items users choose. For
lists train a model of likes. `alsatian train` says so when the model that it fits predicts ratings.
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
